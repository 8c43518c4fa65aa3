// Rules of ebtables put into the kernel by batches of ours: that what docs/decisions/0011 and
// docs/firewall.md say of the kernel and of ebtables-nft is so.

#include <gmock/gmock.h>

#include <optional>

#include "tests/support/bridge.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/nft_rules.hpp"

namespace plumbline::io {

namespace {

using firewall::Place;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// Of a type that neither nft nor ebtables knows.
const wire::Bytes userdata{std::byte{0x77}, std::byte{1}, std::byte{'p'}};

class RulesOfEbtables : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (test::run({"ebtables-nft", "-V"}).status != 0) GTEST_SKIP() << "ebtables is not installed";
    nft_.emplace();
  }

  static void restore(const std::string& lines) {
    test::must_run({"ebtables-nft-restore", "--noflush"}, "*filter\n" + lines + "COMMIT\n");
  }

  /// What ebtables makes of the rule in a table that is empty again afterwards.
  firewall::RuleCode compiled(const std::string& rule) {
    restore(":SCRATCH RETURN\n-A SCRATCH " + rule + "\n");
    firewall::RuleCode code = nft_->rules().at("bridge filter SCRATCH").at(0);
    test::must_run({"ebtables-nft", "-F", "SCRATCH"});
    test::must_run({"ebtables-nft", "-X", "SCRATCH"});
    code.userdata = userdata;
    return code;
  }

  void add(const std::string& chain, const firewall::RuleCode& code,
           const firewall::Place& place = {}) {
    firewall::NftBatchWriter writer;
    writer.add_rule(Family::bridge, "filter", chain, code, place, {});
    nft_->commit(std::move(writer).finish(nft_->generation()));
  }

  [[nodiscard]] std::vector<wire::Bytes> userdata_in(const std::string& chain) {
    std::vector<wire::Bytes> all;
    auto rules = nft_->rules();
    for (const auto& code : rules["bridge filter " + chain]) all.push_back(code.userdata);
    return all;
  }

  static std::string saved() { return test::must_run({"ebtables-nft-save"}); }

  std::optional<test::NftSide> nft_;
};

TEST_F(RulesOfEbtables, StandBeforeThePolicyOfTheirChain) {
  const firewall::RuleCode code = compiled("-s 02:00:00:00:00:01 -j RETURN");
  restore(":THEIRS DROP\n-A THEIRS -p ARP -j ACCEPT\n");
  const auto dump = nft_->dump();
  ASSERT_EQ(dump.size(), 2U);
  // What its userdata says is that it is no rule.
  const wire::Bytes policy{std::byte{1}, std::byte{4}, std::byte{1},
                           std::byte{0}, std::byte{0}, std::byte{0}};
  ASSERT_EQ(dump.back().userdata, policy);
  add("THEIRS", code, {firewall::Place::Where::before, dump.back().handle});
  const std::string rules =
      "-A THEIRS -p ARP -j ACCEPT\n-A THEIRS -s 02:00:00:00:00:01 -j RETURN\n";
  EXPECT_THAT(saved(), HasSubstr(":THEIRS DROP\n" + rules));
  // Behind it a rule would never be reached, and the policy would be shown as one more rule.
  add("THEIRS", code);
  EXPECT_THAT(saved(), Not(HasSubstr(":THEIRS DROP")));
}

TEST_F(RulesOfEbtables, KeepTheirUserdataWhateverElseEbtablesDoes) {
  const firewall::RuleCode code = compiled("-p IPv4 --ip-src 10.0.0.1 --limit 1/sec -j DROP");
  restore(":THEIRS DROP\n-A FORWARD -p ARP -j THEIRS\n");
  add("FORWARD", code, {firewall::Place::Where::top, 0});
  const std::vector<std::vector<std::string>> commands = {
      {"-A", "FORWARD", "-p", "ARP", "-j", "DROP"},
      {"-I", "FORWARD", "-p", "ARP", "-j", "DROP"},
      {"-D", "FORWARD", "1"},
      {"-P", "FORWARD", "DROP"},
      {"-P", "THEIRS", "ACCEPT"},
      {"-L", "-Z"},
      {"-E", "THEIRS", "OTHERS"}};
  for (auto command : commands) {
    command.insert(command.begin(), "ebtables-nft");
    test::must_run(command);
    EXPECT_THAT(nft_->rules()["bridge filter FORWARD"], Contains(code)) << command[1];
  }
  const std::string text = saved();
  test::must_run({"ebtables-nft-restore"}, text);
  EXPECT_THAT(userdata_in("FORWARD"), Not(Contains(userdata)));
}

TEST_F(RulesOfEbtables, KeepAMatchThatHoldsForEveryFrameWhenTheyAreRestored) {
  test::Bridge bridge;
  const std::string rule = "-s 02:00:00:00:00:66 --mark ! 0x706c6d62/0x0 -j DROP";
  const firewall::RuleCode code = compiled(rule);
  EXPECT_TRUE(bridge.passes({.source = "02:00:00:00:00:66"}));
  restore(":FORWARD ACCEPT\n");
  add("FORWARD", code);
  EXPECT_FALSE(bridge.passes({.source = "02:00:00:00:00:66"}));
  EXPECT_TRUE(bridge.passes({}));
  test::must_run({"ebtables-nft-restore"}, saved());
  EXPECT_FALSE(bridge.passes({.source = "02:00:00:00:00:66"}));
  EXPECT_EQ(nft_->rules()["bridge filter FORWARD"].at(0).expressions, code.expressions);
}

TEST_F(RulesOfEbtables, OfThreeMatchesLoseOneWhenTheyAreRestored) {
  restore("-A FORWARD -p IPv4 --ip-src 10.0.0.1 --limit 1/sec --pkttype-type host -j ACCEPT\n");
  const auto before = nft_->rules();
  test::must_run({"ebtables-nft-restore"}, saved());
  EXPECT_NE(nft_->rules(), before) << "ebtables can be trusted with more than two matches";
}

}  // namespace

}  // namespace plumbline::io
