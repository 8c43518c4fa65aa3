// What a dump of the rules of nf_tables ends at without a word is noticed, or read around: rules
// behind it are not taken for absent, and made again and again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;

const char* const spec = R"({"version": 1, "iptables": {
  "filter": { "chains": { "APP": { "rules": ["-s 10.1.0.0/16 -j DROP"] } },
              "shared": { "FORWARD": { "append": ["-j APP"] }, "INPUT": { "insert": ["-j APP"] } } },
  "nat": { "shared": { "POSTROUTING": { "append": ["-s 10.2.0.0/16 -j MASQUERADE"] } } } }})";

class WholeRules : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (const std::string why_not = why_no_iptables(io::Backend::nft); !why_not.empty()) {
      GTEST_SKIP() << why_not;
    }
    must_run({"iptables-nft", "-N", "THEIRS"});
    must_run({"iptables-nft", "-A", "FORWARD", "-j", "THEIRS"});
  }
  void TearDown() override {
    std::filesystem::remove_all(engine::state_directory());
    NetnsTest::TearDown();
  }

  static CommandResult plumbline(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.begin(), {PLUMBLINE_BINARY, "--iptables", "nft"});
    return run(words, input);
  }
  static CommandResult plan() { return plumbline({"plan", "--detailed-exitcode", "-"}, spec); }
  static CommandResult apply() { return plumbline({"apply", "--yes", "-"}, spec); }

  /// At the top of the chain.
  static void add_huge_rule(const std::string& chain) {
    std::string rule = "-I " + chain + " -s 192.0.2.7/32";
    for (int i = 0; i < 60; ++i) rule += R"( -m bpf --bytecode "2,48 0 0 9,6 0 0 1")";
    must_run({"iptables-nft-restore", "--noflush"}, "*filter\n" + rule + " -j DROP\nCOMMIT\n");
    ASSERT_EQ(must_run({"iptables-nft-save", "-t", "filter"}).find("192.0.2.7"), std::string::npos)
        << "iptables sees it: it is not large enough";
  }
};

TEST_F(WholeRules, AreSeenBesideARuleOfAnotherChainThatIsTooLarge) {
  ASSERT_EQ(apply().status, 0);
  add_huge_rule("THEIRS");
  EXPECT_EQ(plan().status, 0) << plan().output;
  must_run({"iptables-nft", "-F", "APP"});
  EXPECT_EQ(apply().status, 0);
  EXPECT_EQ(plan().status, 0);
  const CommandResult destroyed = plumbline({"destroy", "--yes"});
  EXPECT_EQ(destroyed.status, 0) << destroyed.output;
  const std::string left = must_run({"nft", "list", "ruleset"});
  EXPECT_EQ(left.find("APP"), left.npos);
  EXPECT_EQ(left.find("masquerade"), left.npos);
}

TEST_F(WholeRules, ThatCannotBeSeenInAChainOfOursAreToldAndNothingIsChanged) {
  ASSERT_EQ(apply().status, 0);
  add_huge_rule("FORWARD");
  const std::string before = must_run({"nft", "list", "ruleset"});
  for (const CommandResult& told : {plan(), apply(), plumbline({"destroy", "--yes"})}) {
    EXPECT_EQ(told.status, 1);
    EXPECT_THAT(told.output, HasSubstr("CANNOT_OBSERVE: the kernel ends its list of the rules of "
                                       "chain inet filter FORWARD behind 0: "));
  }
  EXPECT_EQ(must_run({"nft", "list", "ruleset"}), before);
  must_run({"iptables-nft", "-F", "FORWARD"});
  EXPECT_EQ(plan().status, 2);
  EXPECT_EQ(apply().status, 0);
  EXPECT_EQ(plan().status, 0);
}

TEST_F(WholeRules, AreNotMissedForWhatElseLeadsToAChain) {
  ASSERT_EQ(apply().status, 0);
  must_run({"nft", "add map ip filter ways { type ipv4_addr : verdict; }"});
  must_run({"nft", "add element ip filter ways { 192.0.2.9 : jump APP, 192.0.2.8 : goto THEIRS }"});
  EXPECT_EQ(plan().status, 0) << plan().output;
  must_run({"iptables-nft", "-A", "THEIRS", "-j", "APP"});
  EXPECT_EQ(plan().status, 0);
}

}  // namespace
}  // namespace plumbline::test
