// Chains of ebtables on the real kernel: what is wanted arrives, judges frames, stays, is repaired
// when somebody edits it, goes, and nothing of anybody else's changes.

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "plumbline/io/host.hpp"
#include "tests/support/bridge.hpp"
#include "tests/support/covered.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {

namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string nothing = R"({"version": 1})";

const std::string guarded = R"({"version": 1, "ebtables": {
  "filter": {
    "chains": { "APP": { "rules": [
      "-p ARP --arp-ip-src 10.0.0.66 -j DROP",
      { "match": "-p IPv4 --ip-src ! 10.0.0.0/8 --ip-proto udp", "target": "DROP" },
      "-p IPv4 --ip-src 10.0.0.7 --limit 1/sec --limit-burst 2 -j RETURN",
      "--log-prefix \"said \" --log-ip -j CONTINUE",
      "-j mark --mark-set 0x5 --mark-target CONTINUE" ] } },
    "shared": { "FORWARD": {
      "insert": ["-i port0 -j APP", "-p IPv4 --ip-src 10.0.0.66 -j DROP"],
      "append": ["-s 02:00:00:00:00:66 -j DROP", "-p IPv4 --ip-src 10.0.0.5 --mark 7 -j DROP"] } } },
  "nat": { "shared": { "PREROUTING": {
      "insert": ["-s 02:00:00:00:00:77 -j dnat --to-dst 02:00:00:00:00:99 --dnat-target ACCEPT"] } } }
}})";

const std::string foreign = R"(*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:THEIRS DROP
-A THEIRS -p IPv4 --ip-src 192.0.2.1 -j ACCEPT -c 3 300
-A FORWARD -p LLDP -j THEIRS -c 5 500
-A FORWARD --among-src 02:00:00:00:00:31,02:00:00:00:00:32 -j DROP -c 7 700
COMMIT
)";

void ebtables(std::vector<std::string> words) {
  words.insert(words.begin(), "ebtables-nft");
  must_run(words);
}

/// With handles and counters.
std::string ruleset() { return must_run({"nft", "-a", "list", "ruleset"}); }

/// Without what differs when a rule was made anew.
std::string without_handles(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += line.substr(0, line.find(" # handle")) + "\n";
  }
  return result;
}

/// The lines of a listing that are not ours.
std::string not_ours(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  bool in_app = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("chain APP ") != std::string::npos) in_app = true;
    const bool ours = in_app || line.find("0x706c6d62") != std::string::npos ||
                      line.find("plumbline:rule") != std::string::npos;
    if (!ours && !line.empty()) result += line + "\n";
    if (line == "\t}") in_app = false;
  }
  return result;
}

class EbtablesSite : public NetnsTest, public ::testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (run({"ebtables-nft", "-V"}).status != 0) GTEST_SKIP() << "ebtables-nft is not installed";
    if (run({"nft", "-v"}).status != 0) GTEST_SKIP() << "nft is not installed";
    site_.emplace(GetParam());
    site_->options.allow_empty = true;
  }

  std::optional<Site> site_;
};

INSTANTIATE_TEST_SUITE_P(Backends, EbtablesSite,
                         ::testing::Values(io::Backend::nft, io::Backend::legacy),
                         [](const auto& about) { return std::string(format(about.param)); });

TEST_P(EbtablesSite, ArrivesBesideForeignRulesStaysAndGoes) {
  must_run({"ebtables-nft-restore"}, foreign);
  const std::string before = ruleset();
  site_->apply(guarded);
  const std::string settled = ruleset();
  EXPECT_THAT(settled, HasSubstr("chain APP"));
  const std::string rest = not_ours(settled);
  EXPECT_EQ(rest.substr(0, rest.find("# Warning: table bridge nat")), not_ours(before));
  site_->apply(guarded);
  EXPECT_EQ(ruleset(), settled);
  site_->apply(nothing);
  EXPECT_EQ(ruleset(), before);
}

TEST_P(EbtablesSite, LeavesNothingWhereNothingWas) {
  site_->apply(guarded);
  EXPECT_THAT(ruleset(), HasSubstr("table bridge nat"));
  site_->apply(nothing);
  EXPECT_THAT(ruleset(), IsEmpty());
}

TEST_P(EbtablesSite, RepairsWhateverSomebodyDoesToOurRules) {
  const std::vector<std::vector<std::string>> edits = {
      {"-D", "APP", "1"},
      {"-D", "APP", "6"},
      {"-F", "APP"},
      {"-I", "APP", "2", "-s", "02:00:00:00:00:13", "-j", "ACCEPT"},
      {"-A", "APP", "-j", "ACCEPT"},
      {"-P", "APP", "DROP"},
      {"-D", "FORWARD", "1"},
      {"-D", "FORWARD", "2"},
      {"-A", "FORWARD", "--mark", "!", "0x706c6d62/0x0", "-j", "ACCEPT"},
      {"-I", "FORWARD", "3", "--mark", "!", "0x706c6d62/0x0", "-j", "ACCEPT"},
      {"-I", "FORWARD", "-p", "IPv4", "--ip-src", "10.0.0.66", "--mark", "!", "0x706c6d62/0x0",
       "-j", "DROP"},
      {"-t", "nat", "-F", "PREROUTING"},
  };
  must_run({"ebtables-nft-restore"}, foreign);
  site_->apply(guarded);
  const std::string settled = without_handles(ruleset());
  for (const auto& edit : edits) {
    SCOPED_TRACE(::testing::PrintToString(edit));
    ebtables(edit);
    EXPECT_NE(without_handles(ruleset()), settled);
    site_->apply(guarded);
    EXPECT_EQ(without_handles(ruleset()), settled);
  }
}

TEST_P(EbtablesSite, RepairsWhatNftDoesToOurRulesThatEbtablesShowsAlike) {
  const std::string spec = R"({"version": 1, "ebtables": {"filter": {
    "chains": {"APP": {"rules": ["-i port0 -j RETURN"]}}}}})";
  site_->apply(spec);
  const std::string settled = without_handles(ruleset());
  const std::string listed = must_run({"nft", "-a", "list", "chain", "bridge", "filter", "APP"});
  const std::size_t at = listed.find("# handle", listed.find("return"));
  const std::string handle = listed.substr(at + 9, listed.find('\n', at) - at - 9);
  // ebtables shows it without the counter that it does not have, as it shows all of them.
  const std::vector<std::string> shown{"ebtables-nft", "-L", "APP"};
  const std::string before = must_run(shown);
  must_run({"nft", "replace", "rule", "bridge", "filter", "APP", "handle", handle, "iifname",
            "port0", "return"});
  EXPECT_NE(without_handles(ruleset()), settled);
  EXPECT_EQ(must_run(shown), before);
  site_->apply(spec);
  EXPECT_EQ(without_handles(ruleset()), settled);
}

TEST_P(EbtablesSite, UntouchedRulesKeepTheirCounters) {
  Bridge bridge;
  site_->apply(guarded);
  static_cast<void>(bridge.passes({.source = "02:00:00:00:00:66"}));
  const auto counted = [] {
    std::istringstream lines(must_run({"nft", "list", "chain", "bridge", "filter", "FORWARD"}));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("02:00:00:00:00:66") != std::string::npos) return line;
    }
    return std::string();
  };
  const std::string before = counted();
  EXPECT_THAT(before, Not(HasSubstr("packets 0 ")));
  std::string more = guarded;
  more.replace(more.find("\"append\": ["), 11, "\"append\": [\"-d BGA -j DROP\", ");
  site_->apply(more);
  EXPECT_EQ(counted(), before);
}

TEST_P(EbtablesSite, JudgesFrames) {
  Bridge bridge;
  const std::string good = ipv4_from("10.0.0.1");
  const std::string bad = ipv4_from("172.16.0.1");
  const std::string worse = ipv4_from("10.0.0.66");
  const Frame good_ip{.protocol = 0x0800, .payload = good};
  const Frame bad_ip{.protocol = 0x0800, .payload = bad};
  const Frame worse_ip{.protocol = 0x0800, .payload = worse};
  const Frame bad_mac{.source = "02:00:00:00:00:66"};
  for (const Frame& frame : {good_ip, bad_ip, worse_ip, bad_mac}) EXPECT_TRUE(bridge.passes(frame));
  site_->apply(guarded);
  EXPECT_TRUE(bridge.passes(good_ip));
  EXPECT_FALSE(bridge.passes(bad_ip));
  EXPECT_FALSE(bridge.passes(worse_ip));
  EXPECT_FALSE(bridge.passes(bad_mac));
  EXPECT_TRUE(bridge.passes({}));
  site_->apply(nothing);
  for (const Frame& frame : {good_ip, bad_ip, worse_ip, bad_mac}) EXPECT_TRUE(bridge.passes(frame));
}

TEST_P(EbtablesSite, PutsAPolicyBackWhenItsKeyIsRemoved) {
  Bridge bridge;
  must_run({"ebtables-nft-restore"}, foreign);
  const std::string before = ruleset();
  const std::string policies = R"({"version": 1, "ebtables": {
    "filter": {"shared": {"FORWARD": {"policy": "DROP"}}},
    "nat": {"shared": {"PREROUTING": {"policy": "ACCEPT"}}}}})";
  site_->apply(policies);
  EXPECT_FALSE(bridge.passes({}));
  ebtables({"-P", "FORWARD", "ACCEPT"});
  EXPECT_TRUE(bridge.passes({}));
  site_->apply(policies);
  EXPECT_FALSE(bridge.passes({}));
  site_->apply(nothing);
  EXPECT_EQ(ruleset(), before);
}

TEST_P(EbtablesSite, OurRulesStandBeforeWhatAForeignChainEndsWith) {
  const std::string spec = R"({"version": 1, "ebtables": {"filter": {"shared": {"THEIRS": {
    "insert": ["-s 02:00:00:00:00:01 -j RETURN"], "append": ["-s 02:00:00:00:00:02 -j RETURN"]}}}}})";
  must_run({"ebtables-nft-restore"}, foreign);
  const std::string before = without_handles(ruleset());
  site_->apply(spec);
  const std::string settled = without_handles(ruleset());
  const std::string saved = must_run({"ebtables-nft-save"});
  EXPECT_THAT(saved, HasSubstr(":THEIRS DROP"));
  // ebtables takes that rule out and puts it in again whatever else it does.
  ebtables({"-A", "FORWARD", "-s", "02:00:00:00:00:03", "-j", "DROP"});
  ebtables({"-D", "FORWARD", "-s", "02:00:00:00:00:03", "-j", "DROP"});
  site_->apply(spec);
  EXPECT_EQ(without_handles(ruleset()), settled);
  ebtables({"-A", "THEIRS", "-s", "02:00:00:00:00:04", "-j", "DROP"});
  site_->apply(spec);
  EXPECT_THAT(must_run({"ebtables-nft-save"}), HasSubstr(":THEIRS DROP"));
  const std::string listed = must_run({"nft", "list", "chain", "bridge", "filter", "THEIRS"});
  EXPECT_LT(listed.find("02:00:00:00:00:04"), listed.find("02:00:00:00:00:02")) << listed;
  EXPECT_LT(listed.find("02:00:00:00:00:02"), listed.rfind("drop")) << listed;
  ebtables({"-D", "THEIRS", "-s", "02:00:00:00:00:04", "-j", "DROP"});
  site_->apply(nothing);
  EXPECT_EQ(without_handles(ruleset()), before);
}

TEST_P(EbtablesSite, KnowsItsOwnAfterSaveAndRestore) {
  const std::string two = "-p IPv4 --ip-src 10.0.0.9 --limit 3/sec -j DROP";
  const std::string spec = R"({"version": 1, "ebtables": {
    "filter": {
      "chains": {"APP": {"rules": ["-p IPv4 --ip-src 10.0.0.1 --limit 3/sec -j ACCEPT"]}},
      "shared": {
        "INPUT": {"insert": [")" +
                           two + R"("]},
        "FORWARD": {"insert": ["-i port0 -j APP", "-p IPv4 --ip-src 10.0.0.66 -j DROP", ")" +
                           two + R"(", "-i port0 )" + two + R"(", "-o port0 )" + two + R"("],
                    "append": ["--log-prefix \"end\" -j CONTINUE", "--mark 7 -j DROP"]},
        "OUTPUT": {"insert": [")" +
                           two + R"("]},
        "THEIRS": {"append": [")" +
                           two + R"(", "-i port0 )" + two + R"("]}}},
    "nat": {"shared": {"PREROUTING": {"insert": [")" +
                           two + R"("]},
                       "POSTROUTING": {"insert": [")" +
                           two + R"("]}}}}})";
  must_run({"ebtables-nft-restore"}, foreign);
  const auto saved = [] {
    const std::regex noise("(^|\n)#[^\n]*|( --limit-burst 5)?( -c \\d+ \\d+)?(?=\n)");
    return std::regex_replace(must_run({"ebtables-nft-save"}), noise, "");
  };
  const std::string without_ours = saved();
  site_->apply(spec);
  const std::string settled = saved();
  must_run({"ebtables-nft-restore"}, must_run({"ebtables-nft-save"}));
  EXPECT_EQ(saved(), settled);
  site_->apply(spec);
  EXPECT_EQ(saved(), settled);
  must_run({"ebtables-nft-restore"}, must_run({"ebtables-nft-save"}));
  site_->apply(nothing);
  EXPECT_THAT(saved(), HasSubstr(without_ours.substr(0, without_ours.find("*nat"))));
  EXPECT_THAT(ruleset(), Not(HasSubstr("0x706c6d62")));
  EXPECT_THAT(ruleset(), Not(HasSubstr("plumbline:rule")));
  EXPECT_THAT(ruleset(), Not(HasSubstr("10.0.0.9")));
  EXPECT_THAT(ruleset(), Not(HasSubstr("APP")));
}

TEST_P(EbtablesSite, IsAppliedTogetherWithChainsOfIptables) {
  const std::string spec = R"({"version": 1,
    "iptables": {"filter": {"chains": {"APP": {"rules": ["-s 10.0.0.1 -j DROP"]}},
                            "shared": {"FORWARD": {"insert": ["-j APP"]}}}},
    "ebtables": {"filter": {"chains": {"APP": {"rules": ["-p IPv6 -j DROP"]}},
                            "shared": {"FORWARD": {"insert": ["-j APP"]}}}}})";
  const std::string save = "iptables-" + std::string(format(GetParam())) + "-save";
  site_->apply(spec);
  EXPECT_THAT(must_run({save}), HasSubstr("-A APP -s 10.0.0.1/32 -j DROP"));
  EXPECT_THAT(must_run({"ebtables-nft-save"}), HasSubstr("-A APP -p IPv6 -j DROP"));
  site_->apply(nothing);
  EXPECT_THAT(must_run({save}), Not(HasSubstr("APP")));
  EXPECT_THAT(ruleset(), IsEmpty());
}

TEST_P(EbtablesSite, AnUnmarkedChainOfAWantedNameIsSomebodyElses) {
  must_run({"ebtables-nft-restore"}, "*filter\n:APP RETURN\n-A APP -j DROP\nCOMMIT\n");
  const std::string before = ruleset();
  const auto prepared = site_->prepare(guarded);
  ASSERT_EQ(prepared.plan.refusals.size(), 1U);
  EXPECT_THAT(prepared.plan.refusals.front().message, HasSubstr("APP"));
  EXPECT_EQ(ruleset(), before);
}

TEST_P(EbtablesSite, WhatEbtablesOrTheKernelRefusesIsAnErrorAtItsPlace) {
  for (const auto& [rule, why] :
       {std::pair{"-p bogus -j DROP", "bogus"}, std::pair{"--ip-src 10.0.0.1 -j DROP", "kernel"},
        std::pair{"-j snat", "proper arguments"},
        std::pair{"-j dnat --to-dst 02:00:00:00:00:01", "kernel"}}) {
    const std::string spec = std::string(R"({"version": 1, "ebtables": {"filter": {
      "chains": {"APP": {"rules": ["-j RETURN", ")") +
                             rule + R"("]}}}}})";
    try {
      static_cast<void>(site_->prepare(spec));
      ADD_FAILURE() << rule;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("spec.json:2"));
      EXPECT_THAT(error.what(), HasSubstr("INVALID_IPTABLES_RULE"));
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
  EXPECT_THAT(ruleset(), IsEmpty());
}

TEST_P(EbtablesSite, WithoutItsProgramASpecThatHasNoneOfItIsAppliedAllTheSame) {
  must_run({"ebtables-nft-restore"}, foreign);
  const std::string before = ruleset();
  const std::string spec = R"({"version": 1, "iptables": {"filter": {
    "chains": {"APP": {"rules": ["-j DROP"]}}}}})";
  const fs::path programs = fs::temp_directory_path() / ("programs-" + std::to_string(getpid()));
  fs::create_directories(programs);
  for (const auto& program : fs::directory_iterator("/usr/sbin")) {
    const std::string name = program.path().filename();
    const bool taken = name.find("tables") != std::string::npos || name == "nft";
    if (!taken || name.starts_with("ebtables")) continue;
    fs::copy(program.path(), programs / name, fs::copy_options::copy_symlinks);
  }
  {
    const Covered covered(programs, "/usr/sbin");
    try {
      static_cast<void>(site_->prepare(guarded));
      ADD_FAILURE() << "prepared without ebtables";
    } catch (const io::HostError& error) {
      EXPECT_THAT(error.what(), HasSubstr("ebtables-nft is not installed"));
    }
    const std::string file = programs / "spec.json";
    std::ofstream(file) << guarded;
    const CommandResult planned = run({PLUMBLINE_BINARY, "plan", file});
    EXPECT_EQ(planned.status, 1);
    EXPECT_THAT(planned.output, HasSubstr("CANNOT_OBSERVE: ebtables-nft is not installed"));
    EXPECT_EQ(ruleset(), before);
    site_->apply(spec);
    site_->apply(nothing);
    EXPECT_EQ(ruleset(), before);
  }
  fs::remove_all(programs);
}

TEST_P(EbtablesSite, WhatOthersMakeWithNftStaysToTheByteAndHandle) {
  const std::string theirs =
      "add table bridge filter\n"
      "add chain bridge filter FORWARD { type filter hook forward priority -200; }\n"
      "add chain bridge filter NATIVE\n"
      "add set bridge filter macs { type ether_addr; elements = { 02:00:00:00:00:21 } }\n"
      "add rule bridge filter NATIVE ether saddr @macs counter drop comment \"theirs\"\n"
      "add rule bridge filter NATIVE vlan id { 5, 7 } drop\n"
      "add rule bridge filter FORWARD iifname \"port9\" jump NATIVE\n"
      "add table bridge guard\n"
      "add chain bridge guard pre { type filter hook prerouting priority -300; policy accept; }\n"
      "add rule bridge guard pre ip saddr 10.0.0.66 drop\n"
      "add table netdev ingress\n";
  must_run({"nft", "-f", "-"}, theirs);
  const std::string before = ruleset();
  site_->apply(guarded);
  const std::string settled = ruleset();
  EXPECT_THAT(settled, HasSubstr("chain APP"));
  std::istringstream lines(before);
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(settled, HasSubstr(line + "\n"));
  ebtables({"-F", "APP"});
  site_->apply(guarded);
  site_->apply(nothing);
  EXPECT_EQ(ruleset(), before);
}

TEST_P(EbtablesSite, IsShownAsASpecThatMakesTheSame) {
  site_->apply(guarded);
  const std::string settled = without_handles(ruleset());
  const std::string shown_spec =
      must_run({PLUMBLINE_BINARY, "show", "--iptables", std::string(format(GetParam()))});
  EXPECT_THAT(shown_spec, Not(HasSubstr("0x706c6d62")));
  EXPECT_THAT(shown_spec, Not(HasSubstr("plumbline:rule")));
  site_->apply(nothing);
  site_->apply(shown_spec);
  EXPECT_EQ(without_handles(ruleset()), settled);
}

TEST_P(EbtablesSite, WaitsForAChainThatIsNotThere) {
  const std::string spec = R"({"version": 1, "ebtables": {"filter": {"shared": {
    "THEIRS": {"insert": ["-i port0 -j RETURN"]},
    "FORWARD": {"insert": ["-i port0 -j DROP"]}}}}})";
  const auto prepared = site_->prepare(spec);
  ASSERT_EQ(prepared.plan.blocked.size(), 1U) << shown(prepared);
  EXPECT_EQ(site_->carry_out(prepared).result, engine::Result::applied);
  must_run({"ebtables-nft", "-N", "THEIRS"});
  site_->apply(spec);
}

}  // namespace

}  // namespace plumbline::test
