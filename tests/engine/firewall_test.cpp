// Chains on the real kernel, with both backends: what is wanted arrives, stays, is repaired when
// somebody edits it, and nothing of anybody else's changes.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "plumbline/engine/compile.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/wire/iptables.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {

namespace {

namespace json = boost::json;
using test::must_run;

/// Chains of a namespace of the test's own, made as the engine makes them but without a plan.
class Firewall : public test::NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const std::string restore = "iptables-" + std::string(format(GetParam())) + "-restore";
    if (test::run({restore, "--version"}).status != 0) {
      GTEST_SKIP() << "iptables is not installed";
    }
    host_.emplace(GetParam());
    scratch_.emplace(GetParam());
    compiler_.emplace(*scratch_);
  }

  State observe() { return engine::observe(*host_, {}).state; }

  /// `{ "iptables": …, "ip6tables": … }` as a spec has it, marked and compiled.
  State compiled(const json::value& spec, std::vector<std::string>* refused = nullptr) {
    spec::Desired desired;
    test::SpecText text(json::serialize(spec));
    for (const auto& [section, family] :
         {std::pair{"iptables", Family::inet}, std::pair{"ip6tables", Family::inet6}}) {
      if (!text.entry().has(section)) continue;
      text.member(section).for_each_member([&, of = family](const wire::Entry& table) {
        read<Chain>(table, "chains", of, desired.state);
        read<SharedChain>(table, "shared", of, desired.state);
      });
    }
    desired.state.sort();
    Diagnostics diagnostics;
    compiler_->compile(desired, observe(), diagnostics);
    for (const auto* errors : {&text.errors(), &std::as_const(diagnostics.errors)}) {
      for (const Diagnostic& error : *errors) {
        if (refused != nullptr) {
          refused->push_back(error.message);
        } else {
          ADD_FAILURE() << format(error);
        }
      }
    }
    return desired.state;
  }

  /// Brings the kernel to what is wanted in one commit per table; says how many that took.
  std::size_t apply(const State& want) {
    const State have = observe();
    std::vector<wire::FirewallRestore> restores;
    add_changes<Chain>(have, want, restores);
    add_changes<SharedChain>(have, want, restores);
    send(restores);
    return restores.size();
  }

  void send(const std::vector<wire::FirewallRestore>& restores) {
    for (const wire::FirewallRestore& one : wire::merged(restores)) {
      const wire::Request request = one;
      const wire::Reply reply = host_->exchange(std::span(&request, 1)).front();
      ASSERT_EQ(reply.error, 0) << reply.message;
    }
  }

  static void take(std::vector<wire::Request> requests, std::vector<wire::FirewallRestore>& into) {
    for (wire::Request& request : requests) {
      into.push_back(std::get<wire::FirewallRestore>(std::move(request)));
    }
  }

  std::string save(std::string_view base = "iptables") {
    std::string text;
    const std::string program = std::string(base) + "-" + std::string(format(GetParam())) + "-save";
    std::string saved = must_run({program, "-c"});
    for (std::size_t end = saved.find('\n'); end != std::string::npos; end = saved.find('\n')) {
      if (saved.front() != '#') text += saved.substr(0, end + 1);
      saved.erase(0, end + 1);
    }
    return text;
  }

  void iptables(const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {"iptables-" + std::string(format(GetParam()))};
    arguments.insert(arguments.end(), words.begin(), words.end());
    must_run(arguments);
  }

  void restore(const std::string& text) {
    must_run({"iptables-" + std::string(format(GetParam())) + "-restore", "-c", "--noflush"}, text);
  }

  std::optional<io::KernelHost> host_;
  std::optional<io::ScratchHost> scratch_;
  std::optional<engine::Compiler> compiler_;

 private:
  template <class K>
  static void read(const wire::Entry& table, std::string_view part, Family family, State& state) {
    const auto found = table.find(part);
    if (!found) return;
    found->for_each_member([&](const wire::Entry& entry) {
      auto value = K::from_spec(entry, family, table.key());
      if (value) state.of<K>().push_back(with_mark(std::move(*value), Mark{}));
    });
  }

  template <class K>
  static void add_changes(const State& have, const State& want,
                          std::vector<wire::FirewallRestore>& restores) {
    for (const K& value : want.of<K>()) {
      const K* present = have.find<K>(key(value));
      if (present == nullptr) {
        take(create(value, {}), restores);
      } else if (const K full = complete(value, *present); !(full == *present)) {
        take(update(*present, full, {}), restores);
      }
    }
  }
};

std::string backend_name(const testing::TestParamInfo<io::Backend>& info) {
  return std::string(format(info.param));
}

INSTANTIATE_TEST_SUITE_P(Backends, Firewall, testing::Values(io::Backend::nft, io::Backend::legacy),
                         backend_name);

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
  std::vector<wire::FirewallRestore> restores;
  take(remove(*have.find<SharedChain>({Family::inet, "filter", "FORWARD"}), {}), restores);
  take(remove(*have.find<Chain>({Family::inet, "filter", "APP"}), {}), restores);
  send(restores);
  EXPECT_EQ(save(), before);
}

TEST_P(Firewall, RemovesChainsThatReferToEachOther) {
  const std::string before = (restore("*filter\nCOMMIT\n"), save());
  const State want = compiled(json::parse(R"({ "iptables": { "filter": { "chains": {
    "A": { "rules": ["-j B", "-j C"] }, "B": { "rules": ["-g C"] }, "C": {} } } } })"));
  apply(want);
  std::vector<wire::FirewallRestore> restores;
  for (const Chain& chain : want.of<Chain>()) take(remove(chain, {}), restores);
  send(restores);
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
  std::vector<wire::FirewallRestore> restores;
  const State now = observe();
  take(update(*now.find<SharedChain>(forward), *have.find<SharedChain>(forward), {}), restores);
  send(restores);
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
  EXPECT_EQ(chain->rules.size(), 4U);
  EXPECT_EQ(apply(want), 1U);
  EXPECT_EQ(save(), settled);
  // Undoing that cannot be written: it fails as a whole.
  const wire::Request undo = update(want.of<Chain>().front(), *chain, {}).front();
  const wire::Reply reply = host_->exchange(std::span(&undo, 1)).front();
  EXPECT_NE(reply.error, 0);
  EXPECT_NE(reply.message.find("line-break"), std::string::npos) << reply.message;
  EXPECT_EQ(save(), settled);
}

// ---- the acceptance rules, where they are -------------------------------------------------------

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
    // Saved as a rule that is read back as another one: refused, as no text can keep it.
    if (saved.empty() || rule.find("! --ipcompspi :") != std::string::npos) continue;
    // A rule for a chain that its table does not have built in can only be in one of ours, and a
    // comment of all 255 bytes leaves no room for our mark.
    const bool shared = part == "shared";
    if (shared && !is_builtin_chain(text(line, "table"), chain)) continue;
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

TEST_P(Firewall, EveryAcceptanceRuleIsCompiledAppliedAndStaysInAChainOfOurs) {
  const auto lines = lines_of("rules.jsonl");
  if (!lines) GTEST_SKIP() << "the acceptance rules are not here";
  const auto name = [](const std::string& chain) { return "ALL-" + chain; };
  Corpus all = corpus(*lines, GetParam(), "chains", name, "rules");
  for (const auto& [chain, saved] : all.saved) {
    if (!is_builtin_chain(chain.table, chain.name.substr(4))) continue;
    json::value& family = at(all.spec, chain.family == Family::inet ? "iptables" : "ip6tables");
    json::value& shared = at(at(family, chain.table), "shared");
    at(at(shared, chain.name.substr(4)), "insert") = json::array{"-j " + chain.name};
  }
  const State want = compiled(all.spec);
  for (const auto& [chain, saved] : all.saved) {
    ASSERT_NE(want.find<Chain>(chain), nullptr);
    EXPECT_EQ(want.find<Chain>(chain)->rules, saved) << format(chain);
  }
  EXPECT_GT(apply(want), 20U);
  EXPECT_EQ(apply(want), 0U);
}

TEST_P(Firewall, EveryAcceptanceRuleIsAppliedStaysAndGoesInASharedChain) {
  const auto lines = lines_of("rules.jsonl");
  if (!lines) GTEST_SKIP() << "the acceptance rules are not here";
  const auto same = [](const std::string& chain) { return chain; };
  for (const char* const member : {"insert", "append"}) {
    const State want = compiled(corpus(*lines, GetParam(), "shared", same, member).spec);
    EXPECT_GT(apply(want), 10U);
    EXPECT_EQ(apply(want), 0U);
    const State have = observe();
    std::vector<wire::FirewallRestore> restores;
    for (const SharedChain& chain : have.of<SharedChain>()) take(remove(chain, {}), restores);
    send(restores);
    const State after = observe();
    for (const SharedChain& chain : after.of<SharedChain>()) {
      EXPECT_FALSE(is_marked(chain, Mark{})) << format(key(chain));
    }
  }
}

}  // namespace

}  // namespace plumbline
