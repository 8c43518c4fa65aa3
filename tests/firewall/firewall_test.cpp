// Chains on the real kernel, with both backends: what is wanted arrives, stays, is repaired when
// somebody edits it, and nothing of anybody else's changes.

#include "tests/firewall/firewall.hpp"

namespace plumbline {

namespace {

namespace json = boost::json;

INSTANTIATE_TEST_SUITE_P(Backends, Firewall, both_backends, backend_name);

const json::value guarded = json::parse(R"({ "iptables": { "filter": {
  "chains": { "APP": { "rules": [
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    { "match": "-d 10.0.0.0/8 -p tcp --dport 443", "target": "ACCEPT", "comment": "the api" },
    "-j REJECT" ] } },
  "shared": { "FORWARD": { "insert": ["-i br0 -j APP", "-s 10.0.0.1,10.0.0.2 -j DROP"],
                           "append": [{ "target": "RETURN", "comment": "last" }] } } } } })");

const std::string foreign = R"(*filter
:THEIRS - [0:0]
[3:300] -A THEIRS -s 192.0.2.1/32 -j DROP
[5:500] -A FORWARD -j THEIRS
[7:700] -A FORWARD -m comment --comment "it's \"theirs\"" -j ACCEPT
COMMIT
)";

/// The lines of a save that are not ours: what must never change.
std::string not_ours(std::string saved) {
  std::string text;
  for (std::size_t end = saved.find('\n'); end != std::string::npos; end = saved.find('\n')) {
    const std::string line = saved.substr(0, end + 1);
    if (line.find("APP") == std::string::npos && line.find("plumbline") == std::string::npos) {
      text += line;
    }
    saved.erase(0, end + 1);
  }
  return text;
}

TEST_P(Firewall, ArrivesBesideForeignRulesAndStays) {
  restore(foreign);
  const std::string before = save();
  const State want = compiled(guarded);
  EXPECT_EQ(apply(want), 2U);
  EXPECT_EQ(apply(want), 0U);
  EXPECT_EQ(not_ours(save()), before);
  const State have = observe();
  const auto* forward = have.find<SharedChain>({Family::inet, "filter", "FORWARD"});
  ASSERT_NE(forward, nullptr);
  EXPECT_EQ(forward->insert.size(), 3U);
  EXPECT_EQ(forward->append.size(), 1U);
  EXPECT_FALSE(forward->only_ours);
}

TEST_P(Firewall, ALaterApplyGivesTheSameInAnEmptyTable) {
  const State want = compiled(guarded);
  EXPECT_EQ(apply(want), 2U);
  EXPECT_EQ(apply(want), 0U);
}

TEST_P(Firewall, RepairsWhateverSomebodyDoesToOurRules) {
  const std::vector<std::vector<std::string>> edits = {
      {"-D", "APP", "1"},
      {"-D", "APP", "4"},
      {"-F", "APP"},
      {"-I", "APP", "2", "-s", "6.6.6.6", "-j", "ACCEPT"},
      {"-A", "APP", "-j", "ACCEPT"},
      {"-R", "APP", "3", "-j", "ACCEPT"},
      {"-R", "APP", "2", "-d", "10.0.0.0/9", "-p", "tcp", "--dport", "443", "-m", "comment",
       "--comment", "the api", "-j", "ACCEPT"},
      {"-D", "FORWARD", "1"},
      {"-D", "FORWARD", "2"},
      {"-R", "FORWARD", "2", "-s", "10.0.0.7", "-m", "comment", "--comment", "plumbline", "-j",
       "DROP"},
      {"-A", "FORWARD", "-m", "comment", "--comment", "plumbline: extra", "-j", "ACCEPT"},
      {"-I", "FORWARD", "5", "-m", "comment", "--comment", "plumbline", "-j", "ACCEPT"},
  };
  restore(foreign);
  const std::string before = save();
  const State want = compiled(guarded);
  apply(want);
  const std::string settled = save();
  for (const auto& edit : edits) {
    iptables(edit);
    EXPECT_NE(save(), settled) << edit[0] << " " << edit[1];
    EXPECT_EQ(apply(want), 1U) << edit[0] << " " << edit[1] << "\n" << save();
    EXPECT_EQ(apply(want), 0U) << edit[0] << " " << edit[1] << "\n" << save();
    EXPECT_EQ(not_ours(save()), before) << edit[0] << " " << edit[1];
  }
  EXPECT_EQ(save(), settled);
}

TEST_P(Firewall, KeepsItsPlaceWhenForeignRulesComeToTheTopAndTheEnd) {
  restore(foreign);
  const State want = compiled(guarded);
  apply(want);
  iptables({"-I", "FORWARD", "-s", "6.6.6.6", "-j", "ACCEPT"});
  iptables({"-A", "FORWARD", "-s", "7.7.7.7", "-j", "ACCEPT"});
  iptables({"-I", "FORWARD", "3", "-s", "8.8.8.8", "-j", "ACCEPT"});
  EXPECT_EQ(apply(want), 1U);
  EXPECT_EQ(apply(want), 0U);
  const State have = observe();
  const auto* forward = have.find<SharedChain>({Family::inet, "filter", "FORWARD"});
  EXPECT_EQ(forward->insert.size(), 3U);
  EXPECT_EQ(forward->append.size(), 1U);
  EXPECT_TRUE(forward->strays.empty());
}

TEST_P(Firewall, UntouchedSharedRulesKeepTheirCounters) {
  restore(foreign);
  apply(compiled(guarded));
  restore(
      "*filter\n-D FORWARD -i br0 -m comment --comment plumbline -j APP\n"
      "[9:900] -I FORWARD -i br0 -m comment --comment plumbline -j APP\nCOMMIT\n");
  json::value more = guarded;
  more.at_pointer("/iptables/filter/shared/FORWARD/insert").as_array().emplace_back("-j LOG");
  EXPECT_EQ(apply(compiled(more)), 1U);
  EXPECT_NE(save().find("[9:900] -A FORWARD -i br0 -m comment --comment plumbline -j APP"),
            std::string::npos)
      << save();
}

TEST_P(Firewall, IsGoneWithoutATraceWhenRemoved) {
  restore(foreign);
  const std::string before = save();
  apply(compiled(guarded));
  const State have = observe();
  const SharedChain* none = nullptr;
  const Chain* no_chain = nullptr;
  carry_out({{step(have.find<SharedChain>({Family::inet, "filter", "FORWARD"}), none),
              step(have.find<Chain>({Family::inet, "filter", "APP"}), no_chain)},
             {},
             {},
             {}});
  EXPECT_EQ(save(), before);
}

TEST_P(Firewall, RemovesChainsThatReferToEachOther) {
  const std::string before = (restore("*filter\nCOMMIT\n"), save());
  const State want = compiled(json::parse(R"({ "iptables": { "filter": { "chains": {
    "A": { "rules": ["-j B", "-j C"] }, "B": { "rules": ["-g C"] }, "C": {} } } } })"));
  apply(want);
  Plan plan;
  const Chain* none = nullptr;
  for (const Chain& chain : want.of<Chain>()) plan.steps.push_back(step(&chain, none));
  carry_out(plan);
  EXPECT_TRUE(observe().of<Chain>().empty()) << save();
}

TEST_P(Firewall, PutsAStrayBackWhenAMoveIsUndone) {
  restore(foreign);
  const State want = compiled(guarded);
  apply(want);
  iptables({"-I", "FORWARD", "5", "-m", "comment", "--comment", "plumbline", "-j", "ACCEPT"});
  const std::string before = save();
  const SharedChain::Key forward{Family::inet, "filter", "FORWARD"};
  const State have = observe();
  apply(want);
  const State now = observe();
  carry_out({{step(now.find<SharedChain>(forward), have.find<SharedChain>(forward))}, {}, {}, {}});
  EXPECT_EQ(save(), before);
}

TEST_P(Firewall, SetsAPolicyAndTouchesNothingElse) {
  restore(foreign);
  const std::string before = save();
  const auto policy = [](const char* name) {
    return json::value{{"iptables", {{"filter", {{"shared", {{"FORWARD", {{"policy", name}}}}}}}}}};
  };
  EXPECT_EQ(apply(compiled(policy("DROP"))), 1U);
  EXPECT_EQ(apply(compiled(policy("DROP"))), 0U);
  EXPECT_NE(save().find(":FORWARD DROP"), std::string::npos);
  EXPECT_EQ(apply(compiled(policy("ACCEPT"))), 1U);
  EXPECT_EQ(save(), before);
}

TEST_P(Firewall, ALineBreakInAForeignCommentInOurChainIsOneRuleAndIsRepaired) {
  const State want = compiled(guarded);
  apply(want);
  const std::string settled = save();
  iptables({"-I", "APP", "-m", "comment", "--comment",
            "x\n-A INPUT -s 6.6.6.6/32 -j ACCEPT\nCOMMIT\n# y", "-j", "DROP"});
  const State have = observe();
  const auto* chain = have.find<Chain>({Family::inet, "filter", "APP"});
  ASSERT_NE(chain, nullptr);
  EXPECT_EQ(chain->rules.size(), 5U);
  EXPECT_EQ(apply(want), 1U);
  EXPECT_EQ(save(), settled);
  if (uses_nft()) {  // Undoing writes the very bytes.
    carry_out({{step(&want.of<Chain>().front(), chain)}, {}, {}, {}});
    EXPECT_EQ(observe(), have);
    return;
  }
  // Undoing that cannot be written: it fails as a whole.
  const wire::Request undo = update(want.of<Chain>().front(), *chain, {}).front();
  const wire::Reply reply = host_->exchange(std::span(&undo, 1)).front();
  EXPECT_NE(reply.error, 0);
  EXPECT_NE(reply.message.find("line-break"), std::string::npos) << reply.message;
  EXPECT_EQ(save(), settled);
}

}  // namespace

}  // namespace plumbline
