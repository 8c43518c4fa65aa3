// Rows of the ledger on fights: who takes guards away again and again finds them back each time.

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

/// `plumbline run` in the host's namespace.
class LedgerFights : public Ledger {
 protected:
  void start() {
    base_ = ::testing::TempDir() + "plumbline-n9-" + std::to_string(getpid());
    std::ofstream(base_ + ".json") << network_spec(deny_but_one);
    const std::string pid =
        must_run({"sh", "-c", "\"$0\" run \"$1\" --interval 1s >\"$2\" 2>&1 </dev/null & echo $!",
                  PLUMBLINE_BINARY, base_ + ".json", base_ + ".log"});
    pid_ = std::stoi(pid);
    ASSERT_TRUE(soon([&] { return log().find("ready: ") != std::string::npos; })) << log();
  }
  void TearDown() override {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (HasFailure()) std::cout << log();
    for (const char* const suffix : {".json", ".log"}) std::filesystem::remove(base_ + suffix);
    Ledger::TearDown();
  }

  template <class IsSo>
  static bool soon(const IsSo& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  [[nodiscard]] std::string log() const {
    std::ifstream in(base_ + ".log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string base_;
  pid_t pid_ = -1;
};

TEST_F(LedgerFights, N9_AGuardComesBackHoweverOftenItIsTakenAway) {
  start();
  const std::vector<std::string> rules = rules_in("FORWARD");
  ASSERT_FALSE(rules.empty());
  const auto ours = [&] {
    std::vector<std::string> now = rules_in("FORWARD");
    std::erase_if(now, [](const std::string& rule) { return rule.starts_with("-s 10.66"); });
    return now;
  };
  for (int i = 1; i <= 8; ++i) {
    must_run({"iptables-nft", "-I", "FORWARD", "-s", "10.66.0." + std::to_string(i), "-j", "DROP"});
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  for (const std::string& rival :
       {std::string("iptables-nft -F FORWARD"), std::string("iptables-nft -D FORWARD 1"),
        std::string("nft delete table ip filter"),
        std::string("nft add table ip filter '{ flags dormant; }'")}) {
    for (int i = 0; i < 7; ++i) {
      must_run({"sh", "-c", rival});
      ASSERT_TRUE(soon([&] {
        return ours() == rules &&
               must_run({"nft", "list", "table", "ip", "filter"}).find("dormant") ==
                   std::string::npos;
      })) << rival;
    }
  }
  attach();
  attack->run_for(300);
  expect_only_allowed(*attack);
}

}  // namespace
}  // namespace plumbline::test
