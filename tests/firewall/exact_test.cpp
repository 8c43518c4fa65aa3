// That a chain of ours is exactly what it was applied as: whatever is done to
// it by hand is seen and repaired to the byte, and what nobody touched keeps
// its handle and its counters.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/firewall/firewall.hpp"
#include "tests/support/nft_rules.hpp"
#include "tests/support/site.hpp"

namespace plumbline {

namespace {

namespace json = boost::json;

using Texts = std::vector<std::string>;

std::string base_of(Family family) { return family == Family::inet ? "iptables" : "ip6tables"; }

/// Restores into both families at once: lines by family and table.
class Edits {
 public:
  void add(const Chain::Key& chain, const std::string& line) {
    lines_[chain.family][chain.table] += line + "\n";
  }
  void carry_out() const {
    for (const auto& [family, tables] : lines_) {
      std::string text;
      for (const auto& [table, lines] : tables) text += "*" + table + "\n" + lines + "COMMIT\n";
      test::must_run({base_of(family) + "-nft-restore", "--noflush"}, text);
    }
  }

 private:
  std::map<Family, std::map<std::string, std::string>> lines_;
};

class Exact : public Firewall {
 protected:
  static json::value& at(json::value& value, std::string_view member) {
    if (!value.is_object()) value.emplace_object();
    return value.as_object()[member];
  }

  /// Every acceptance rule of this backend in chains of ours, which built-in
  /// ones jump to and whose policies are ours too; nothing where the rules are
  /// not here.
  static std::optional<json::value> acceptance() {
    std::ifstream file(std::filesystem::path(PLUMBLINE_SOURCE_DIR) /
                       "../shared/firewall/rules.jsonl");
    if (!file) return std::nullopt;
    json::value spec;
    std::string line;
    while (std::getline(file, line)) {
      const json::object rule = json::parse(line).as_object();
      const json::value* saved = rule.if_contains("canonical_nft");
      if (saved == nullptr || !saved->is_string()) continue;
      const std::string table(rule.at("table").as_string());
      const std::string chain(rule.at("chain").as_string());
      json::value& family = at(spec, rule.at("family").as_int64() == 4 ? "iptables" : "ip6tables");
      json::value& rules = at(at(at(at(family, table), "chains"), "ALL-" + chain), "rules");
      if (!rules.is_array()) rules.emplace_array();
      rules.as_array().emplace_back(rule.at("rule"));
      if (!is_builtin_chain(Family::inet, table, chain)) continue;
      json::value& shared = at(at(at(family, table), "shared"), chain);
      at(shared, "insert") = json::array{"-j ALL-" + chain};
      if (table != "nat") at(shared, "policy") = "ACCEPT";
    }
    return spec;
  }

  /// Chains whose rules are not as in `settled`, to the byte.
  std::size_t changed_chains(const test::NftRules& settled) {
    const test::NftRules now = test::NftSide().rules();
    std::size_t changed = 0;
    for (const auto& [where, rules] : settled) {
      const auto found = now.find(where);
      changed += found == now.end() || found->second != rules ? 1 : 0;
    }
    return changed;
  }

  /// The edit is seen in as many chains as it was made in, and then nothing is
  /// left of it.
  void expect_repaired(const State& want, const State& settled, const test::NftRules& bytes,
                       std::size_t edited, const std::string& what) {
    SCOPED_TRACE(what);
    EXPECT_EQ(changed_chains(bytes), edited);
    EXPECT_EQ(apply(want), edited);
    EXPECT_EQ(changed_chains(bytes), 0U);
    EXPECT_TRUE(test::NftSide().rules() == bytes);
    EXPECT_TRUE(observe() == settled);
    EXPECT_EQ(apply(want), 0U);
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, Exact, testing::Values(io::Backend::nft), backend_name);

/// Without its `counter`s, which no list of iptables shows the lack of.
firewall::RuleCode without_counter(firewall::RuleCode code) {
  wire::Bytes kept;
  std::size_t from = 0;
  while (from + 4 <= code.expressions.size()) {
    std::uint16_t length = 0;
    std::memcpy(&length, &code.expressions[from], sizeof length);
    const std::size_t next = std::min(code.expressions.size(), from + ((length + 3U) & ~3U));
    const std::string_view element(reinterpret_cast<const char*>(&code.expressions[from]),
                                   next - from);
    if (element.find("counter") == std::string_view::npos) {
      const auto begin = code.expressions.begin();
      kept.insert(kept.end(), begin + static_cast<std::ptrdiff_t>(from),
                  begin + static_cast<std::ptrdiff_t>(next));
    }
    from = next;
  }
  code.expressions = std::move(kept);
  return code;
}

/// Which rule of a chain in which round: the first, the last, and some between.
constexpr std::size_t rounds = 6;
std::size_t place_in(std::size_t count, std::size_t round) {
  return (count - 1) * round / (rounds - 1);
}

TEST_P(Exact, EveryEditOfAnAcceptanceRuleIsSeenAndRepairedToTheByte) {
  const auto spec = acceptance();
  if (!spec) GTEST_SKIP() << "the acceptance rules are not here";
  const State want = compiled(*spec);
  EXPECT_GT(apply(want), 20U);
  EXPECT_EQ(apply(want), 0U);
  const State settled = observe();
  const test::NftRules bytes = test::NftSide().rules();
  const std::vector<Chain> chains = want.of<Chain>();
  const std::size_t all = chains.size();
  EXPECT_GT(all, 10U);

  for (std::size_t round = 0; round < rounds; ++round) {
    Edits deletion;
    Edits duplicate;
    Edits move;
    std::size_t moved = 0;
    for (const Chain& chain : chains) {
      const std::vector<FirewallRule> rules(chain.rules.begin(), chain.rules.end());
      const std::size_t place = place_in(rules.size(), round);
      const std::string number = std::to_string(place + 1);
      const std::string& rule = rules[place].text();
      deletion.add(key(chain), "-D " + chain.name + " " + number);
      duplicate.add(key(chain), "-I " + chain.name + " " + number + " " + rule);
      const std::size_t other = place + 1 < rules.size() ? place + 1 : place - 1;
      if (rules[place] == rules[other]) continue;  // to change places with its like is no edit
      ++moved;
      move.add(key(chain), "-D " + chain.name + " " + number);
      move.add(key(chain), "-I " + chain.name + " " + std::to_string(other + 1) + " " + rule);
    }
    const std::string which = " in round " + std::to_string(round);
    deletion.carry_out();
    expect_repaired(want, settled, bytes, all, "deleted" + which);
    duplicate.carry_out();
    expect_repaired(want, settled, bytes, all, "duplicated" + which);
    move.carry_out();
    expect_repaired(want, settled, bytes, moved, "moved" + which);

    test::NftSide side;
    std::map<Chain::Key, std::vector<firewall::DumpedRule>> dumped;
    for (firewall::DumpedRule& rule : side.dump()) {
      dumped[{rule.family, rule.table, rule.chain}].push_back(std::move(rule));
    }
    const std::string saved = test::saved_by_nft();
    firewall::NftBatchWriter batch;
    for (const Chain& chain : chains) {
      const auto& rules = dumped.at(key(chain));
      const auto& [family, table, name] = key(chain);
      const firewall::DumpedRule& rule = rules.at(place_in(rules.size(), round));
      const firewall::RuleCode code = side.code(rule);
      ASSERT_NE(without_counter(code), code);
      batch.add_rule(family, table, name, without_counter(code),
                     {firewall::Place::Where::before, rule.handle},
                     [&](const std::string& set) { return side.set_index(set); });
      batch.remove_rule(family, table, name, rule.handle);
    }
    side.commit(std::move(batch).finish(0));
    EXPECT_EQ(test::saved_by_nft(), saved);  // text would not have told
    expect_repaired(want, settled, bytes, all, "replaced by one without a counter" + which);
  }

  Edits flush;
  for (const Chain& chain : chains) flush.add(key(chain), "-F " + chain.name);
  flush.carry_out();
  expect_repaired(want, settled, bytes, all, "flushed");
}

TEST_P(Exact, APolicySetByHandIsPutBack) {
  const auto spec = acceptance();
  if (!spec) GTEST_SKIP() << "the acceptance rules are not here";
  const State want = compiled(*spec);
  apply(want);
  const State settled = observe();
  const test::NftRules bytes = test::NftSide().rules();
  std::size_t set = 0;
  for (const SharedChain& chain : want.of<SharedChain>()) {
    if (!chain.policy) continue;
    test::must_run({base_of(chain.family) + "-nft", "-t", chain.table, "-P", chain.name, "DROP"});
    ++set;
  }
  EXPECT_GT(set, 10U);
  EXPECT_EQ(apply(want), set);
  EXPECT_TRUE(test::NftSide().rules() == bytes);
  EXPECT_TRUE(observe() == settled);
  EXPECT_EQ(apply(want), 0U);
}

TEST_P(Exact, AnEqualLookingRuleOfNftIsReplaced) {
  const State want = compiled(json::parse(R"({ "iptables": { "filter": { "chains": { "APP": {
      "rules": ["-s 10.0.0.1/32 -j ACCEPT", "-p tcp -m tcp --dport 22 -j DROP",
                "-m comment --comment hi -j RETURN"] } } } } })"));
  apply(want);
  const State settled = observe();
  const test::NftRules bytes = test::NftSide().rules();
  const auto handle_of = [](std::size_t place) {
    std::vector<firewall::DumpedRule> rules = test::NftSide().dump();
    return std::to_string(rules.at(place).handle);
  };
  struct Like {
    std::size_t place;
    const char* rule;
    bool same;  ///< to the byte: no drift
  };
  const std::vector<Like> likes = {
      {0, "ip saddr 10.0.0.1 counter accept", true},
      {0, "ip saddr { 10.0.0.1, 10.0.0.2 } counter accept", false},
      {0, "ip saddr 10.0.0.1 accept", false},
      {0, "ip saddr 10.0.0.1 counter return", false},
      {1, "tcp dport 22 counter drop", true},
      {1, "ip protocol tcp tcp dport 22 counter drop", false},
      {1, "tcp dport 22 drop", false},
      {2, "counter return comment hi", false},
  };
  for (const auto& [place, like, same] : likes) {
    SCOPED_TRACE(like);
    test::must_run({"nft", "replace rule ip filter APP handle " + handle_of(place) + " " + like});
    const std::size_t edited = same ? 0 : 1;
    EXPECT_EQ(changed_chains(bytes), edited);
    EXPECT_EQ(apply(want), edited);
    EXPECT_TRUE(test::NftSide().rules() == bytes);
    EXPECT_TRUE(observe() == settled);
    EXPECT_EQ(apply(want), 0U);
  }
}

// ---- what is not touched
// ------------------------------------------------------------------------

void send_packets(int count) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < count; ++i) {
    // An answer that nobody listens there may stand before the next one.
    static_cast<void>(sendto(fd, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
  }
  close(fd);
}

TEST_P(Exact, RulesThatNobodyTouchedKeepHandlesCountersAndWhatIsUsedUp) {
  test::bring_up_loopback();
  Texts rules = {"-p udp -m quota --quota 100", "-p udp -m limit --limit 1/hour --limit-burst 3",
                 "-p udp -m statistic --mode nth --every 7 --packet 2",
                 "-p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 4 "
                 "--hashlimit-name plumb"};
  for (int i = 0; i < 200; ++i) {
    rules.push_back("-p udp -s 127.0.0.0/8 -m length --length " + std::to_string(i) + ":1000");
  }
  const auto spec = [&] {
    json::value value = json::parse(R"({ "iptables": { "filter": {
        "shared": { "OUTPUT": { "insert": ["-j APP"] } } } } })");
    at(at(at(at(at(value, "iptables"), "filter"), "chains"), "APP"), "rules") =
        json::array(rules.begin(), rules.end());
    return value;
  };
  const auto dumped = [] {
    std::map<std::uint64_t, wire::Bytes> found;
    for (firewall::DumpedRule& rule : test::NftSide().dump()) {
      found[rule.handle] = std::move(rule.expressions);
    }
    return found;
  };
  const auto counted = [&] {
    Texts counts;
    const std::string saved = save();
    for (const char* const match : {"quota", "limit", "statistic", "hashlimit"}) {
      const std::size_t end = saved.find("-m " + std::string(match) + " ");
      const std::size_t start = saved.rfind('[', end);
      counts.push_back(saved.substr(start, saved.find(':', start) - start));
    }
    return counts;
  };
  apply(compiled(spec()));
  send_packets(20);
  const Texts counts = counted();
  EXPECT_THAT(counts, testing::ElementsAre("[3", "[3", "[3", "[4"));

  const std::size_t middle = rules.size() / 2;
  const auto expect_kept = [&](const std::string& what, std::size_t gone, std::size_t come) {
    SCOPED_TRACE(what);
    const auto before = dumped();
    EXPECT_EQ(apply(compiled(spec())), 1U);
    const auto after = dumped();
    std::size_t kept = 0;
    for (const auto& [handle, expressions] : before) {
      const auto found = after.find(handle);
      if (found == after.end()) continue;
      ++kept;
      EXPECT_TRUE(found->second == expressions) << "handle " << handle;
    }
    EXPECT_EQ(kept, before.size() - gone);
    EXPECT_EQ(after.size(), kept + come);
    EXPECT_EQ(counted(), counts);
  };
  const auto place = [&](std::size_t at) { return rules.begin() + static_cast<long>(at); };
  rules.insert(place(middle), "-s 192.0.2.1/32 -j DROP");
  expect_kept("added", 0, 1);
  rules.erase(place(middle + 1));
  expect_kept("removed", 1, 0);
  std::rotate(place(middle), place(middle + 1), place(middle + 40));
  expect_kept("moved down", 1, 1);
  std::rotate(place(6), place(180), place(181));
  expect_kept("moved up", 1, 1);
  rules.insert(place(0), "-s 192.0.2.2/32 -j DROP");
  expect_kept("added at the top", 0, 1);
  iptables({"-D", "APP", "50"});
  expect_kept("deleted by hand", 0, 1);

  send_packets(20);
  const Texts later = counted();
  // The limits are used up for an hour; the statistic goes on where it was.
  EXPECT_THAT(later, testing::ElementsAre(counts[0], counts[1], "[6", counts[3]));
}

// ---- by way of iptables-save
// --------------------------------------------------------------------

const std::string app = R"({ "version": 1, "iptables": {
  "filter": { "chains": { "APP": { "rules": ["-s 10.0.0.1/32 -j ACCEPT", "-j APP2"] },
                          "APP2": { "rules": ["-p tcp -m tcp --dport 22 -j DROP"] }, "EMPTY": {} },
              "shared": { "FORWARD": { "insert": ["-i br0 -j APP"], "policy": "DROP" },
                          "INPUT": { "append": ["-j EMPTY"] } } },
  "nat": { "chains": { "APP-NAT": { "rules": ["-s 10.0.0.0/8 -j MASQUERADE"] } },
           "shared": { "POSTROUTING": { "insert": ["-j APP-NAT"] } } } },
  "ip6tables": { "filter": { "chains": { "APP": { "rules": ["-s 2001:db8::1/128 -j ACCEPT"] } },
              "shared": { "FORWARD": { "insert": ["-j APP"] } } } } })";
const std::string nothing = R"({ "version": 1 })";
const std::string theirs =
    "*filter\n:THEIRS - [0:0]\n-A THEIRS -s 192.0.2.1/32 -j DROP\n-A FORWARD "
    "-j THEIRS\nCOMMIT\n";

TEST_P(Exact, OwnershipSurvivesWhatIsDoneWithIptablesAsAWhole) {
  const auto restored = [](const std::string& base, bool counters) {
    const std::string saved = test::must_run({base + "-nft-save", "-c"});
    if (counters) {
      test::must_run({base + "-nft-restore", "-c"}, saved);
    } else {
      test::must_run({base + "-nft-restore"}, saved);
    }
  };
  struct Deed {
    const char* name;
    std::function<void()> act;
    bool harmless;
  };
  const auto words = [this](std::vector<std::string> all) {
    return [this, all = std::move(all)] { iptables(all); };
  };
  std::string boot;  // as saved before a reboot
  std::string boot6;
  const std::vector<Deed> deeds = {
      {"save and restore", [&] { restored("iptables", false); }, true},
      {"save and restore of IPv6 with counters", [&] { restored("ip6tables", true); }, true},
      {"-Z", words({"-Z"}), true},
      {"-Z CHAIN n", words({"-Z", "APP", "1"}), true},
      {"-F CHAIN", words({"-F", "APP"}), false},
      {"-F CHAIN of a shared one", words({"-F", "INPUT"}), false},
      {"-F", words({"-F"}), false},
      {"-F and -X", [&] { iptables({"-F"}), iptables({"-X"}); }, false},
      {"-F CHAIN of one that ours jumps to", words({"-F", "APP2"}), false},
      {"restore as at boot",
       [&] {
         test::must_run({"nft", "flush", "ruleset"});
         test::must_run({"iptables-nft-restore"}, boot);
         test::must_run({"ip6tables-nft-restore"}, boot6);
       },
       true},
  };
  for (const Deed& deed : deeds) {
    SCOPED_TRACE(deed.name);
    ASSERT_EQ(test::enter_new_netns(), "");
    test::must_run({"iptables-nft-restore"}, theirs);
    const std::string before = test::saved_by_nft();
    test::Site site;
    site.options.allow_empty = true;
    site.apply(app);
    const std::string settled = test::saved_by_nft();
    boot = test::must_run({"iptables-nft-save"});
    boot6 = test::must_run({"ip6tables-nft-save"});
    deed.act();
    const engine::Prepared prepared = site.prepare(app);
    EXPECT_TRUE(prepared.plan.refusals.empty()) << test::shown(prepared);
    EXPECT_EQ(prepared.plan.steps.empty(), deed.harmless) << test::shown(prepared);
    site.apply(app);
    if (deed.harmless) {
      EXPECT_EQ(test::saved_by_nft(), settled);
    }
    site.apply(nothing);
    const std::string after = test::saved_by_nft();
    for (const char* const ours : {"APP", "EMPTY", "plumbline", "DROP ["}) {
      EXPECT_EQ(after.find(ours), std::string::npos) << after;
    }
    if (deed.harmless && std::string(deed.name) != "restore as at boot") {
      EXPECT_EQ(after, before);
    }
  }
}

TEST_P(Exact, AForeignRuleOfNftInOurTablesStopsNothingAndStays) {
  for (const char* const foreign :
       {"ct state new counter", "meta skuid 7 ip saddr { 192.0.2.1, 192.0.2.3-192.0.2.9 } log",
        "tcp dport vmap { 22 : accept, 23 : drop }"}) {
    SCOPED_TRACE(foreign);
    ASSERT_EQ(test::enter_new_netns(), "");
    test::Site site;
    site.options.allow_empty = true;
    test::must_run({"iptables-nft-restore"}, theirs);
    test::must_run({"nft", "add rule ip filter FORWARD " + std::string(foreign)});
    const auto line = [&] {
      std::string listed =
          test::must_run({"nft", "-a", "list", "chain", "ip", "filter", "FORWARD"});
      const std::string word(foreign, std::strchr(foreign, ' '));
      const std::size_t start = listed.find("\n\t\t" + word);
      EXPECT_NE(start, std::string::npos) << listed;
      return listed.substr(start, listed.find('\n', start + 1) - start);
    };
    const std::string rule = line();
    site.apply(app);
    EXPECT_EQ(line(), rule);
    EXPECT_EQ(test::shown(site.prepare(app)), "No changes. The host matches the spec.\n");
    test::must_run({"nft", "flush chain ip filter APP2"});
    EXPECT_FALSE(site.prepare(app).plan.steps.empty());
    site.apply(app);
    EXPECT_EQ(line(), rule);
    site.apply(nothing);
    EXPECT_EQ(line(), rule);
    const std::string after = test::must_run({"nft", "-a", "list", "chain ip filter FORWARD"});
    EXPECT_EQ(after.find("plumbline"), std::string::npos) << after;
  }
}

// ---- sets
// ---------------------------------------------------------------------------------------

TEST_P(Exact, SetsAreTheirNamesWhateverTheirIndexes) {
  if (test::run({"ipset", "create", "probe", "hash:ip"}).status != 0) {
    GTEST_SKIP() << "ipset cannot be used here";
  }
  const std::string spec = R"({ "version": 1, "iptables": { "filter": {
      "chains": { "APP": { "rules": ["-m set --match-set two src -j DROP",
                                     "-m set --match-set one dst -j ACCEPT",
                                     "-j SET --add-set one src"] } },
      "shared": { "INPUT": { "insert": ["-m set --match-set two src -j APP"] } } } } })";
  std::optional<test::NftRules> bytes;
  for (const auto& order :
       {Texts{"one", "two"}, Texts{"two", "one"}, Texts{"x", "two", "y", "one"}}) {
    SCOPED_TRACE(order.front());
    ASSERT_EQ(test::enter_new_netns(), "");
    test::Site site;
    site.options.allow_empty = true;
    for (const std::string& name : order) test::must_run({"ipset", "create", name, "hash:ip"});
    site.apply(spec);
    const test::NftRules rules = test::NftSide().rules();
    EXPECT_TRUE(!bytes || rules == *bytes);
    bytes = rules;
    const std::string listed = test::must_run({"nft", "-a", "list", "ruleset"});
    test::must_run({"ipset", "swap", "one", "two"});
    EXPECT_EQ(test::shown(site.prepare(spec)), "No changes. The host matches the spec.\n");
    // So does a process that knows nothing yet.
    test::Site other;
    EXPECT_EQ(test::shown(other.prepare(spec)), "No changes. The host matches the spec.\n");
    EXPECT_EQ(test::must_run({"nft", "-a", "list", "ruleset"}), listed);
    // The other set is another rule, though only an index differs.
    test::must_run(
        {"iptables-nft", "-R", "APP", "1", "-m", "set", "--match-set", "one", "src", "-j", "DROP"});
    EXPECT_FALSE(site.prepare(spec).plan.steps.empty());
    site.apply(spec);
    EXPECT_TRUE(test::NftSide().rules() == rules);
    site.apply(nothing);
  }
}

TEST_P(Exact, ARuleWaitsForItsSet) {
  if (test::run({"ipset", "create", "probe", "hash:ip"}).status != 0) {
    GTEST_SKIP() << "ipset cannot be used here";
  }
  const std::string spec = R"({ "version": 1, "iptables": { "filter": {
      "chains": { "APP": { "rules": ["-m set --match-set late src -j DROP"] },
                  "NOW": { "rules": ["-j RETURN"] } } } } })";
  test::Site site;
  site.options.allow_empty = true;
  const engine::Prepared blocked = site.prepare(spec);
  EXPECT_EQ(blocked.plan.blocked.size(), 1U) << test::shown(blocked);
  EXPECT_NE(test::shown(blocked).find("late"), std::string::npos) << test::shown(blocked);
  static_cast<void>(site.carry_out(blocked));
  EXPECT_EQ(test::NftSide().rules().count("inet filter APP"), 0U);
  test::must_run({"ipset", "create", "late", "hash:ip"});
  site.apply(spec);
  EXPECT_NE(test::saved_by_nft().find("--match-set late src -j DROP"), std::string::npos);
}

// ---- tables and built-in chains
// -----------------------------------------------------------------

TEST_P(Exact, TablesAndBuiltInChainsAreThoseThatIptablesMakes) {
  const std::map<std::string, Texts> tables = {
      {"filter", {"INPUT", "FORWARD", "OUTPUT"}},
      {"nat", {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}},
      {"mangle", {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}},
      {"raw", {"PREROUTING", "OUTPUT"}},
      {"security", {"INPUT", "FORWARD", "OUTPUT"}}};
  const Texts programs = {"iptables", "ip6tables"};
  const auto hooks = [](const std::string& program, const std::string& table,
                        const std::string& chain) {
    return test::must_run(
        {"nft", "list", "chain", program == "iptables" ? "ip" : "ip6", table, chain});
  };
  std::map<Texts, std::string> made_by_iptables;
  for (const std::string& program : programs) {
    for (const auto& [table, chains] : tables) {
      for (const std::string& chain : chains) {
        test::must_run({program + "-nft", "-t", table, "-A", chain, "-m", "comment", "--comment",
                        "plumbline", "-j", "RETURN"});
        made_by_iptables[{program, table, chain}] = hooks(program, table, chain);
      }
    }
  }
  ASSERT_EQ(test::enter_new_netns(), "");
  test::Site site;
  site.options.allow_empty = true;
  json::value spec;
  at(spec, "version") = 1;
  for (const std::string& program : programs) {
    for (const auto& [table, chains] : tables) {
      for (const std::string& chain : chains) {
        at(at(at(at(at(spec, program), table), "shared"), chain), "insert") =
            json::array{"-j RETURN"};
      }
    }
  }
  site.apply(json::serialize(spec));
  for (const auto& [where, made] : made_by_iptables) {
    EXPECT_EQ(hooks(where[0], where[1], where[2]), made);
    test::must_run({where[0] + "-nft", "-t", where[1], "-A", where[2], "-j", "ACCEPT"});
    test::must_run({where[0] + "-nft", "-t", where[1], "-P", where[2], "ACCEPT"});
  }
  for (const std::string& program : programs) {
    const std::string saved = test::must_run({program + "-nft-save"});
    EXPECT_EQ(saved.find("incompatible"), std::string::npos) << saved;
  }
  EXPECT_EQ(test::shown(site.prepare(json::serialize(spec))),
            "No changes. The host matches the spec.\n");
}

}  // namespace

}  // namespace plumbline
