// A network namespace of a test's own, and programs as independent witnesses of what is in it.
//
// Nothing here touches the machine's own network. Where no namespace can be made the reason is
// given, so that the test skips and says why.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace plumbline::test {

/// Moves the calling thread into a fresh network namespace, in which `lo` is down. Gives nothing
/// when done, else the reason why it cannot be.
[[nodiscard]] std::string enter_new_netns();

/// Throws std::logic_error in the namespace that the program was started in: for whatever a test is
/// about to open sockets with, as these stay in the namespace that they are opened in.
void insist_on_own_netns();

/// Sets `lo` up in the present namespace. Throws std::system_error.
void bring_up_loopback();

struct CommandResult {
  int status = -1;  ///< the exit status; 128 + the signal when one ended it, 127 when not started
  std::string output;  ///< standard output and standard error, as they came
};

/// Runs a program, found along PATH, with an argument vector: no shell. `input` is its standard
/// input.
[[nodiscard]] CommandResult run(const std::vector<std::string>& arguments,
                                std::string_view input = {});
/// The output of a program that has to succeed; throws std::runtime_error with its output if not.
std::string must_run(const std::vector<std::string>& arguments, std::string_view input = {});
/// must_run() of `ip` with the words of `arguments`, split at spaces.
std::string ip(std::string_view arguments);

/// Each test in a namespace of its own, left again at its end; skipped where none can be made.
/// `lo` stays down until bring_up_loopback().
class NetnsTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  int before_ = -1;
};

}  // namespace plumbline::test
