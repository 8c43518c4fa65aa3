#include "plumbline/io/program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "plumbline/io/host.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

using namespace std::chrono_literals;

Finished shell(const std::string& script, std::chrono::milliseconds deadline = 20s) {
  return run_program(
      {.path = "/bin/sh", .arguments = {"-c", script}, .input = {}, .deadline = deadline});
}

TEST(RunProgram, GivesTheInputAndTakesBothOutputs) {
  const std::string input(5'000'000, 'x');
  const auto echoed = run_program({.path = "/bin/cat", .arguments = {}, .input = input});
  EXPECT_TRUE(echoed.succeeded());
  EXPECT_TRUE(echoed.output == input);
  const auto failed = shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(failed.status, 7);
  EXPECT_EQ(failed.output, "out\n");
  EXPECT_EQ(failed.errors, "err\n");
}

TEST(RunProgram, DoesNotMindAProgramThatReadsNothing) {
  const std::string input(5'000'000, 'x');
  EXPECT_TRUE(run_program({.path = "/bin/true", .arguments = {}, .input = input}).succeeded());
}

TEST(RunProgram, PassesArgumentsAsTheyAre) {
  const auto printed = run_program(
      {.path = "/usr/bin/printf", .arguments = {"%s|", "$HOME", "a b", "'\"", ""}, .input = {}});
  EXPECT_EQ(printed.output, "$HOME|a b|'\"||");
}

TEST(RunProgram, KillsAtTheDeadlineWithAllThatWasStarted) {
  const auto start = std::chrono::steady_clock::now();
  const auto finished = shell("sleep 60 & sleep 60", 200ms);
  EXPECT_TRUE(finished.expired);
  EXPECT_FALSE(finished.succeeded());
  EXPECT_EQ(finished.status, 128 + SIGKILL);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(RunProgram, WaitsForTheProgramAndNotForWhatItLeftBehind) {
  const auto finished = shell("sleep 60 & echo $!");
  EXPECT_TRUE(finished.succeeded());
  const pid_t left = std::stoi(finished.output);
  for (int tries = 0; kill(left, 0) == 0 && tries < 100; ++tries) std::this_thread::sleep_for(20ms);
  EXPECT_NE(kill(left, 0), 0) << "the sleep is still there";
}

TEST(RunProgram, StopsAFloodOfOutput) {
  const auto finished =
      run_program({.path = "/usr/bin/yes", .arguments = {}, .input = {}, .most_output = 100'000});
  EXPECT_TRUE(finished.flooded);
  EXPECT_FALSE(finished.succeeded());
  EXPECT_EQ(finished.output.size(), 100'000U);
}

TEST(RunProgram, CutsOffALongComplaintButLetsTheProgramFinish) {
  const auto finished = shell("head -c 3000000 /dev/zero >&2; echo done");
  EXPECT_TRUE(finished.succeeded());
  EXPECT_EQ(finished.output, "done\n");
  EXPECT_EQ(finished.errors.size(), std::size_t{64} << 10U);
}

TEST(RunProgram, HandsDownNothingOfOurs) {
  ASSERT_EQ(setenv("PLUMBLINE_SECRET", "1", 1), 0);
  const int leaked = dup(0);  // without O_CLOEXEC
  ASSERT_GT(leaked, 2);
  const auto environment = run_program({.path = "/usr/bin/env", .arguments = {}, .input = {}});
  EXPECT_EQ(environment.output, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
  const auto descriptors =
      run_program({.path = "/bin/ls", .arguments = {"/proc/self/fd"}, .input = {}});
  EXPECT_EQ(descriptors.output, "0\n1\n2\n3\n");  // the last is the directory it reads
  EXPECT_EQ(shell("umask; pwd").output, "0077\n/\n");
  close(leaked);
}

TEST(RunProgram, StartsWithoutOurSignalDispositions) {
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  const auto finished = shell("grep -E 'Sig(Ign|Blk)' /proc/self/status");
  static_cast<void>(std::signal(SIGPIPE, before));
  EXPECT_EQ(finished.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(RunProgram, SaysWhyItCannotBeStarted) {
  const auto why = [](const std::string& path) -> std::string {
    try {
      static_cast<void>(run_program({.path = path, .arguments = {}, .input = {}}));
    } catch (const HostError& error) {
      return error.what();
    }
    return "started";
  };
  EXPECT_EQ(why("/nowhere/iptables"), "cannot run /nowhere/iptables: No such file or directory");
  EXPECT_EQ(why("/etc/passwd"), "cannot run /etc/passwd: Permission denied");
  EXPECT_EQ(why("true"), "'true' is no absolute path of a program");
}

class RunProgramElsewhere : public test::NetnsTest {};

TEST_F(RunProgramElsewhere, RunsInTheNamespaceGiven) {
  const auto scratch = NetworkNamespace::make_scratch();
  const Command here{.path = "/bin/readlink", .arguments = {"/proc/self/ns/net"}, .input = {}};
  Command there = here;
  there.where = &scratch;
  std::string inside;
  scratch.run([&] { inside = run_program(here).output; });
  EXPECT_EQ(run_program(there).output, inside);
  EXPECT_NE(run_program(here).output, inside);
}

}  // namespace
}  // namespace plumbline::io
