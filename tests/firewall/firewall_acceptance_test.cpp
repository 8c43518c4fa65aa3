// The acceptance data for firewalls, where it is: rules of every extension, whole firewalls of real
// hosts, and what must be refused.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/firewall/firewall.hpp"

namespace plumbline {

namespace {

namespace json = boost::json;

using Acceptance = Firewall;

INSTANTIATE_TEST_SUITE_P(Backends, Acceptance, both_backends, backend_name);

std::optional<std::vector<json::object>> lines_of(const std::string& name) {
  const auto path = std::filesystem::path(PLUMBLINE_SOURCE_DIR) / "../shared/firewall" / name;
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::vector<json::object> lines;
  std::string line;
  while (std::getline(file, line)) lines.push_back(json::parse(line).as_object());
  return lines;
}

std::string text(const json::object& line, std::string_view member) {
  const json::value* value = line.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::value& at(json::value& value, std::string_view member) {
  if (!value.is_object()) value.emplace_object();
  return value.as_object()[member];
}

/// A spec of every acceptance rule that this backend loads, each in a chain of `part` that `name`
/// gives for its built-in chain; and what is saved of each.
struct Corpus {
  json::value spec;
  std::map<Chain::Key, std::vector<std::string>> saved;
};

Corpus corpus(const std::vector<json::object>& lines, io::Backend backend, std::string_view part,
              const std::function<std::string(const std::string&)>& name, std::string_view member) {
  Corpus corpus;
  for (const json::object& line : lines) {
    const std::string saved = text(line, "canonical_" + std::string(format(backend)));
    const std::string chain = text(line, "chain");
    const std::string rule = text(line, "rule");
    // Saved as a rule that is read back as another one: refused where only text can keep it.
    const bool unkeepable = rule.find("! --ipcompspi :") != std::string::npos;
    if (saved.empty() || (backend == io::Backend::legacy && unkeepable)) continue;
    // A rule for a chain that its table does not have built in can only be in one of ours, and a
    // comment of all 255 bytes leaves no room for our mark.
    const bool shared = part == "shared";
    if (shared && !is_builtin_chain(Family::inet, text(line, "table"), chain)) continue;
    if (shared && rule.find(std::string(245, 'x')) != std::string::npos) continue;
    const bool is_v4 = line.at("family").as_int64() == 4;
    json::value& table = at(at(corpus.spec, is_v4 ? "iptables" : "ip6tables"), text(line, "table"));
    json::value& rules = at(at(at(table, part), name(chain)), member);
    if (!rules.is_array()) rules.emplace_array();
    rules.as_array().emplace_back(rule);
    corpus.saved[{is_v4 ? Family::inet : Family::inet6, text(line, "table"), name(chain)}]
        .push_back(saved.substr(std::min(saved.size(), chain.size() + 4)));
  }
  return corpus;
}

TEST_P(Acceptance, EveryAcceptanceRuleIsCompiledAppliedAndStaysInAChainOfOurs) {
  const auto lines = lines_of("rules.jsonl");
  if (!lines) GTEST_SKIP() << "the acceptance rules are not here";
  const auto name = [](const std::string& chain) { return "ALL-" + chain; };
  Corpus all = corpus(*lines, GetParam(), "chains", name, "rules");
  for (const auto& [chain, saved] : all.saved) {
    if (!is_builtin_chain(chain.family, chain.table, chain.name.substr(4))) continue;
    json::value& family = at(all.spec, chain.family == Family::inet ? "iptables" : "ip6tables");
    json::value& shared = at(at(family, chain.table), "shared");
    at(at(shared, chain.name.substr(4)), "insert") = json::array{"-j " + chain.name};
  }
  const State want = compiled(all.spec);
  for (const auto& [chain, saved] : all.saved) {
    ASSERT_NE(want.find<Chain>(chain), nullptr);
    std::vector<std::string> texts;
    for (const FirewallRule& rule : want.find<Chain>(chain)->rules) texts.push_back(rule.text());
    texts.pop_back();  // our mark
    EXPECT_EQ(texts, saved) << format(chain);
  }
  EXPECT_GT(apply(want), 20U);
  EXPECT_EQ(apply(want), 0U);
}

TEST_P(Acceptance, EveryAcceptanceRuleIsAppliedStaysAndGoesInASharedChain) {
  const auto lines = lines_of("rules.jsonl");
  if (!lines) GTEST_SKIP() << "the acceptance rules are not here";
  const auto same = [](const std::string& chain) { return chain; };
  for (const char* const member : {"insert", "append"}) {
    const State want = compiled(corpus(*lines, GetParam(), "shared", same, member).spec);
    EXPECT_GT(apply(want), 10U);
    EXPECT_EQ(apply(want), 0U);
    const State have = observe();
    Plan plan;
    const SharedChain* none = nullptr;
    for (const SharedChain& chain : have.of<SharedChain>())
      plan.steps.push_back(step(&chain, none));
    carry_out(plan);
    const State after = observe();
    for (const SharedChain& chain : after.of<SharedChain>()) {
      EXPECT_FALSE(is_marked(chain, Mark{})) << format(key(chain));
    }
  }
}

/// What is done by hand to the only rule of a chain, as lines of a restore.
const std::vector<std::string> edits_by_hand = {
    "-D APP 1\n",                                           // deleted
    "-F APP\n",                                             // with our mark
    "-A APP -j ACCEPT\n",                                   // another behind our mark
    "-D APP 2\n-I APP 1 -m comment --comment plumbline\n",  // our mark moved before it
    "-R APP 1 -i theirs0\n",                                // replaced
};

TEST_P(Acceptance, ByItselfARuleIsAppliedStaysAndIsRepaired) {
  const auto lines = lines_of("rules.jsonl");
  if (!lines) GTEST_SKIP() << "the acceptance rules are not here";
  // All of them take minutes: then only every 25th, from another one on each backend.
  const bool all = std::getenv("PLUMBLINE_TEST_ALL_RULES") != nullptr;
  const std::size_t step = all ? 1 : 25;
  std::size_t count = 0;
  for (std::size_t i = all || uses_nft() ? 0 : step / 2; i < lines->size(); i += step) {
    // Compares what another rule counts, and is refused without it.
    if (text((*lines)[i], "rule").find("--rateest") != std::string::npos) continue;
    const auto name = [](const std::string&) { return std::string("APP"); };
    const Corpus one = corpus({(*lines)[i]}, GetParam(), "chains", name, "rules");
    if (one.saved.empty()) continue;
    ++count;
    SCOPED_TRACE(text((*lines)[i], "rule"));
    const auto& [chain, saved] = *one.saved.begin();
    const State want = compiled(one.spec);
    EXPECT_EQ(apply(want), 1U);
    EXPECT_EQ(apply(want), 0U);
    const State settled = observe();
    EXPECT_EQ(settled.find<Chain>(chain)->rules[0].text(), saved.front());
    const std::string restore = (chain.family == Family::inet ? "iptables-" : "ip6tables-") +
                                std::string(format(GetParam())) + "-restore";
    for (const std::string& edit : edits_by_hand) {
      test::must_run({restore, "--noflush"}, "*" + chain.table + "\n" + edit + "COMMIT\n");
      EXPECT_EQ(apply(want), 1U) << edit;
      EXPECT_EQ(apply(want), 0U) << edit;
      EXPECT_TRUE(observe() == settled) << edit;
    }
    enter_another_namespace();
  }
  std::cout << "    " << count << " rules\n";
  EXPECT_GT(count, 20U);
}

/// A whole firewall as iptables-save printed it, as a spec.
json::value spec_of(const std::string& saved, Family family) {
  json::value spec;
  for (const firewall::SavedChain& chain : firewall::read_save(saved).chains) {
    json::value& section =
        at(at(spec, family == Family::inet ? "iptables" : "ip6tables"), chain.table);
    json::array rules(chain.rules.begin(), chain.rules.end());
    json::value& entry = at(at(section, chain.policy ? "shared" : "chains"), chain.name);
    at(entry, chain.policy ? "insert" : "rules") = std::move(rules);
    if (chain.policy) at(entry, "policy") = *chain.policy;
  }
  return spec;
}

TEST_P(Acceptance, EveryRulesetIsUntouchedAsAForeignOneAndCanBeASpec) {
  const auto folder = std::filesystem::path(PLUMBLINE_SOURCE_DIR) / "../shared/firewall/rulesets";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the acceptance rulesets are not here";
  const json::value ours = json::parse(R"({ "iptables": { "filter": {
    "chains": { "OURS": { "rules": ["-s 10.0.0.1 -j DROP"] } },
    "shared": { "INPUT": { "insert": ["-j OURS"], "append": ["-j OURS"] } } } } })");
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".save") continue;
    SCOPED_TRACE(file.path().filename());
    const bool is_v6 = file.path().stem().string().ends_with("v6");
    const std::string base = is_v6 ? "ip6tables" : "iptables";
    const bool has_set = file.path().stem() == "fail2ban";
    enter_another_namespace();
    if (has_set) {
      if (test::run({"ipset", "create", "f2b-ipset", "hash:ip"}).status != 0) continue;
    }
    std::ifstream stream(file.path());
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    test::must_run({base + "-" + std::string(format(GetParam())) + "-restore"}, text);
    restore("*filter\n:INPUT ACCEPT [0:0]\n:CANARY - [0:0]\nCOMMIT\n");
    const std::string before = save(base);
    const std::string objects_before = objects();

    const State want = compiled(ours);
    EXPECT_EQ(apply(want), 2U);
    EXPECT_EQ(apply(want), 0U);
    const State have = observe();
    Plan plan;
    for (const auto& value : want.of<SharedChain>()) {
      plan.steps.push_back(step<SharedChain>(have.find<SharedChain>(key(value)), nullptr));
    }
    for (const auto& value : want.of<Chain>()) plan.steps.push_back(step<Chain>(&value, nullptr));
    carry_out(plan);
    EXPECT_EQ(save(base), before);
    EXPECT_EQ(objects(), objects_before);

    enter_another_namespace();
    if (has_set) test::must_run({"ipset", "create", "f2b-ipset", "hash:ip"});
    const State whole = compiled(spec_of(before, is_v6 ? Family::inet6 : Family::inet));
    EXPECT_GT(apply(whole), 0U);
    EXPECT_EQ(apply(whole), 0U);
  }
}

// ---- what must be refused -----------------------------------------------------------------------

/// A spec that has the hostile value where such a value would be.
json::value spec_with(const std::string& field, const std::string& value, std::string chain) {
  json::array rules;
  std::string quoted;
  for (const char c : value) quoted += std::string(c == '"' || c == '\\' ? "\\" : "") + c;
  if (field == "rule") rules.emplace_back(value);
  if (field == "comment")
    rules.emplace_back(json::object{{"target", "ACCEPT"}, {"comment", value}});
  if (field == "log-prefix") rules.emplace_back("-j LOG --log-prefix \"" + quoted + "\"");
  if (field == "iface") rules.emplace_back("-i \"" + value + "\" -j ACCEPT");
  if (field == "source") rules.emplace_back("-s \"" + value + "\" -j ACCEPT");
  if (field == "dport") rules.emplace_back("-p tcp --dport \"" + value + "\" -j ACCEPT");
  if (field == "target") rules.emplace_back("-j \"" + value + "\"");
  if (field == "chain") {
    rules.emplace_back("-j ACCEPT");
    chain = value;
  }
  return json::object{
      {"iptables",
       json::object{
           {"filter",
            json::object{{"chains", json::object{{chain, json::object{{"rules", rules}}}}},
                         {"shared",
                          json::object{{"INPUT", json::object{{"insert",
                                                               json::array{"-j " + chain}}}}}}}}}}};
}

TEST_P(Acceptance, WhatMustBeRefusedIsAndTheRestStays) {
  const auto lines = lines_of("hostile.jsonl");
  if (!lines) GTEST_SKIP() << "the hostile inputs are not here";
  for (const json::object& line : *lines) {
    const std::string kind = text(line, "kind");
    const std::string field = text(line, "field");
    if (field == "observed-state") continue;
    SCOPED_TRACE(kind);
    std::string value = text(line, "value");
    if (kind == "nul-in-rule") value = std::string("-j ACCEPT\0 -s 1.2.3.4", 21);
    if (kind == "ipv-opt4") value = "-4 -j ACCEPT";
    if (kind == "hook-mismatch-2") value = "-m owner --uid-owner 0 -j ACCEPT";
    std::vector<std::string> refused;
    const State want = compiled(spec_with(field, value, "OURS"), &refused);
    // A '+' that is not negated does what its reader expects: it is among the acceptance rules.
    const bool reject = text(line, "required_class") == "reject" && kind != "iface-plus";
    if (kind == "set-missing") {
      // Found by the plan, which waits for it: it may be made later.
      EXPECT_THAT(needs(want.of<Chain>().front()), testing::ElementsAre(Need(NeedsSet{"nosuch"})));
    } else if (reject) {
      EXPECT_FALSE(refused.empty());
    } else {
      EXPECT_THAT(refused, testing::IsEmpty());
      EXPECT_GT(apply(want), 0U);
      EXPECT_EQ(apply(want), 0U);
    }
  }
}

}  // namespace

}  // namespace plumbline
