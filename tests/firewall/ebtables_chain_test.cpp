// Chains of ebtables: what a spec may say of them, and how a rule is known as ours.

#include <gmock/gmock.h>
#include <linux/netfilter_bridge/ebt_mark_m.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "plumbline/firewall/model/chain.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class K>
std::optional<K> read(test::SpecText& text, std::string_view table = "filter") {
  std::optional<K> value;
  text.entry().for_each_member(
      [&](const wire::Entry& entry) { value = K::from_spec(entry, Family::bridge, table); });
  return value;
}

std::vector<std::string> texts(const RuleList& rules) {
  std::vector<std::string> texts;
  for (const FirewallRule& rule : rules) texts.push_back(rule.text());
  return texts;
}

SharedChain forward(const std::string& rules) {
  test::SpecText text(R"({"FORWARD": {"insert": [)" + rules + "]}}");
  auto chain = read<SharedChain>(text);
  EXPECT_THAT(text.faults(), IsEmpty());
  return *chain;
}

TEST(ChainOfEbtables, EndsInAMatchThatHoldsForEveryFrame) {
  test::SpecText text(R"({"APP": {"rules": [
    "-s ! 02:00:00:00:00:01 -jDROP", {"match": "-p IPv4 --ip-src=10.0.0.1", "target": "RETURN"}]}})");
  const Chain chain = with_mark(read<Chain>(text).value(), Mark());
  EXPECT_THAT(text.faults(), IsEmpty());
  EXPECT_THAT(texts(chain.rules),
              ElementsAre("-s ! 02:00:00:00:00:01 -j DROP", "-p IPv4 --ip-src 10.0.0.1 -j RETURN",
                          "--mark ! 0x706c6d62/0x0 -j CONTINUE"));
  EXPECT_TRUE(chain.rules.back().is_mark());
  EXPECT_EQ(format(key(chain)), "chain bridge filter APP");
  EXPECT_EQ(
      boost::json::serialize(to_spec(chain)),
      R"({"rules":["-s ! 02:00:00:00:00:01 -j DROP","-p IPv4 --ip-src 10.0.0.1 -j RETURN"]})");
}

TEST(SharedChainOfEbtables, MarksEveryRuleWhereEbtablesSavesTheMark) {
  const SharedChain chain =
      with_mark(forward(R"("-i port0 -j APP", "-p IPv4 --ip-src 10.0.0.1 -j mark --mark-set 5",
                 "--log", "-p IPv4 --ip-src 10.0.0.1 --limit 1/s -j DROP", "--mark 1 -j DROP")"),
                Mark());
  EXPECT_THAT(texts(chain.insert),
              ElementsAre("-i port0 --mark ! 0x706c6d62/0x0 -j APP",
                          "-p IPv4 --ip-src 10.0.0.1 -j mark --mark-set 5 --mark ! 0x706c6d62/0x0",
                          "--log --mark ! 0x706c6d62/0x0",
                          "-i ! plumbline:rule -p IPv4 --ip-src 10.0.0.1 --limit 1/s -j DROP",
                          "-i ! plumbline:rule --mark 1 -j DROP"));
  EXPECT_TRUE(chain.insert[0].carries_mark());
  EXPECT_FALSE(chain.insert[0].is_mark());
  EXPECT_TRUE(chain.insert[3].carries_mark());
  EXPECT_FALSE(chain.insert[3].is_mark());
  EXPECT_EQ(boost::json::serialize(to_spec(chain)),
            R"({"insert":["-i port0 -j APP",)"
            R"("-p IPv4 --ip-src 10.0.0.1 -j mark --mark-set 5","--log",)"
            R"("-p IPv4 --ip-src 10.0.0.1 --limit 1/s -j DROP","--mark 1 -j DROP"]})");
}

TEST(SharedChainOfEbtables, MarksWithAnInterfaceThatTheChainHasAndTheRuleDoesNot) {
  const std::string two = " -p IPv4 --ip-src 10.0.0.1 --limit 1/s -j DROP";
  const std::string from = "-i ! plumbline:rule ";
  const std::string to = "-o ! plumbline:rule ";
  struct Case {
    const char* chain;
    std::string own;
    std::string mark;  ///< empty: there is no room
  };
  for (const Case& one :
       {Case{"INPUT", "", from}, Case{"INPUT", "-i port0", ""},
        Case{"INPUT", "--in-if ! port0", ""}, Case{"FORWARD", "", from},
        Case{"FORWARD", "-i port0", to}, Case{"FORWARD", "-o port0", from},
        Case{"FORWARD", "-i port0 --out-interface port1", ""}, Case{"OUTPUT", "", to},
        Case{"OUTPUT", "-o port0", ""}, Case{"THEIRS", "", from}, Case{"THEIRS", "-i port0", to}}) {
    SCOPED_TRACE(one.chain + (" " + one.own));
    const std::string rule = one.own.empty() ? two.substr(1) : one.own + two;
    test::SpecText text("{\"" + std::string(one.chain) + R"(": {"append": [")" + rule + R"("]}})");
    const auto chain = read<SharedChain>(text);
    ASSERT_TRUE(chain);
    if (one.mark.empty()) {
      ASSERT_EQ(text.errors().size(), 1U);
      EXPECT_EQ(text.errors().front().code, Code::invalid_iptables_rule);
      EXPECT_THAT(text.errors().front().message, HasSubstr("no room for our mark"));
      continue;
    }
    EXPECT_THAT(text.faults(), IsEmpty());
    const SharedChain marked = with_mark(*chain, Mark());
    EXPECT_THAT(texts(marked.append), ElementsAre(one.mark + rule));
    EXPECT_EQ(boost::json::serialize(to_spec(marked)), R"({"append":[")" + rule + R"("]})");
  }
}

TEST(ChainOfEbtables, HasRoomForAnyTwoMatches) {
  test::SpecText text(
      R"({"APP": {"rules": ["-i port0 -o port1 -p IPv4 --ip-src 10.0.0.1 --mark 1 -j DROP"]}})");
  EXPECT_TRUE(read<Chain>(text));
  EXPECT_THAT(text.faults(), IsEmpty());
}

TEST(SharedChainOfEbtables, OfNatMayDropWhatNoRuleTakes) {
  test::SpecText text(R"({"PREROUTING": {"policy": "DROP"}})");
  EXPECT_EQ(read<SharedChain>(text, "nat").value().policy, "DROP");
  EXPECT_THAT(text.faults(), IsEmpty());
}

TEST(ChainsOfEbtables, RefuseWhatIsNone) {
  struct Fault {
    const char* text;
    const char* table;
    const char* why;
  };
  for (const Fault& fault :
       {Fault{R"({"INPUT": {"insert": []}})", "nat", "no chain INPUT"},
        Fault{R"({"PREROUTING": {}})", "filter", "no chain PREROUTING"},
        Fault{R"({"BROUTING": {}})", "nat", "no chain BROUTING"},
        Fault{R"({"dnat": {}})", "nat", "target of ebtables"},
        Fault{R"({"THEIRS": {"policy": "DROP"}})", "filter", "only a built-in"},
        Fault{R"({"INPUT": {"policy": "RETURN"}})", "filter", "ACCEPT or DROP"},
        Fault{R"({"INPUT": {"insert": ["-m mark --mark 1"]}})", "filter", "has no '-m'"},
        Fault{R"({"INPUT": {"insert": [{"match": "-p ARP", "comment": "x"}]}})", "filter",
              "no comments"},
        Fault{R"({"INPUT": {"insert": ["-j DROP\n-A INPUT -j ACCEPT"]}})", "filter", "line break"},
        Fault{R"({"INPUT": {"insert": [{"match": "-p ARP", "target": "-A INPUT"}]}})", "filter",
              "a target is a name"},
        Fault{R"({"INPUT": {"insert": ["-s 02:00:00:00:00:01 -t nat"]}})", "filter", "'-t'"},
        Fault{R"({"INPUT": {"insert": ["--log-prefix \"x"]}})", "filter", "not closed"}}) {
    test::SpecText text(fault.text);
    static_cast<void>(read<SharedChain>(text, fault.table));
    ASSERT_EQ(text.errors().size(), 1U) << fault.text;
    EXPECT_THAT(text.errors().front().message, HasSubstr(fault.why)) << fault.text;
  }
}

TEST(BuiltInChains, AreThoseOfTheFamily) {
  EXPECT_TRUE(is_builtin_chain(Family::bridge, "filter", "FORWARD"));
  EXPECT_TRUE(is_builtin_chain(Family::bridge, "nat", "POSTROUTING"));
  EXPECT_FALSE(is_builtin_chain(Family::bridge, "nat", "INPUT"));
  EXPECT_TRUE(is_builtin_chain(Family::inet, "nat", "INPUT"));
  EXPECT_FALSE(is_builtin_chain(Family::bridge, "mangle", "INPUT"));
}

}  // namespace

}  // namespace plumbline
