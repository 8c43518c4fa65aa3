// Batches of ours as the kernel and the installed iptables take them: chains, places of rules,
// policies, generations, and what must not change.

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "src/io/nft_tables.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/nft_expression_bytes.hpp"
#include "tests/support/nft_rules.hpp"

namespace plumbline::io {
namespace {

using firewall::NftBatchWriter;
using firewall::Place;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class NftBatches : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped()) nft.emplace();
  }

  /// Has the chain OURS of `filter` with the rules 1, 2 and 3, and INPUT.
  void make_ours() {
    firewall::NftBatchWriter writer;
    writer.add_table(Family::inet, "filter");
    writer.add_base_chain(Family::inet, "filter", "INPUT",
                          *firewall::builtin_hook(Family::inet, "filter", "INPUT"));
    writer.add_chain(Family::inet, "filter", "OURS", {});
    for (const char number : {'1', '2', '3'}) add(writer, number, {});
    nft->commit(std::move(writer).finish(nft->generation()));
  }

  /// A rule that drops, known by its userdata.
  static void add(firewall::NftBatchWriter& writer, char number, const firewall::Place& place,
                  const std::string& chain = "OURS") {
    const firewall::RuleCode code{test::verdict(NF_DROP), {}, {std::byte(number)}};
    writer.add_rule(Family::inet, "filter", chain, code, place, {});
  }

  std::string numbers() {
    std::string all;
    for (const auto& rule : nft->dump()) {
      all += static_cast<char>(rule.userdata.at(0));
    }
    return all;
  }

  firewall::DumpedChain chain(const std::string& name) {
    for (auto& each : nft->chains()) {
      if (each.name == name) return each;
    }
    throw std::runtime_error("no chain " + name);
  }

  std::optional<test::NftSide> nft;
};

TEST_F(NftBatches, PutRulesAtTheTopAtTheEndAndBeforeOthers) {
  make_ours();
  const auto second = nft->dump().at(1).handle;
  firewall::NftBatchWriter writer;
  add(writer, 't', {firewall::Place::Where::top, 0});
  add(writer, 'b', {firewall::Place::Where::before, second});
  add(writer, 'e', {firewall::Place::Where::end, 0});
  nft->commit(std::move(writer).finish(0));
  EXPECT_EQ(numbers(), "t1b23e");
}

TEST_F(NftBatches, TakeAwayRulesAndChains) {
  make_ours();
  firewall::NftBatchWriter one;
  one.remove_rule(Family::inet, "filter", "OURS", nft->dump().at(1).handle);
  nft->commit(std::move(one).finish(0));
  EXPECT_EQ(numbers(), "13");
  firewall::NftBatchWriter all;
  all.remove_all_rules(Family::inet, "filter", "OURS");
  all.remove_chain(Family::inet, "filter", "OURS");
  nft->commit(std::move(all).finish(0));
  EXPECT_THAT(nft->chains(), SizeIs(1));
}

TEST_F(NftBatches, NameTheMessageAtFaultAndChangeNothing) {
  make_ours();
  firewall::NftBatchWriter writer;
  add(writer, '4', {});
  add(writer, '5', {});
  add(writer, '6', {}, "NOWHERE");
  add(writer, '7', {});
  const auto reply = nft->try_commit(std::move(writer).finish(nft->generation()));
  EXPECT_EQ(reply.error, ENOENT);
  EXPECT_EQ(reply.place, 2U);
  EXPECT_EQ(numbers(), "123");
}

TEST_F(NftBatches, AreRefusedAtAnotherGeneration) {
  make_ours();
  const auto generation = nft->generation();
  for (const auto at : {generation - 1, generation + 1}) {
    firewall::NftBatchWriter writer;
    add(writer, '4', {});
    EXPECT_EQ(nft->try_commit(std::move(writer).finish(at)).error, ERESTART);
  }
  EXPECT_EQ(numbers(), "123");
  EXPECT_EQ(nft->generation(), generation);
  firewall::NftBatchWriter writer;
  add(writer, '4', {});
  nft->commit(std::move(writer).finish(generation));
  EXPECT_EQ(numbers(), "1234");
}

TEST_F(NftBatches, AChainThatIsThereIsAnErrorAndABuiltInOneKeepsItsPolicy) {
  make_ours();
  firewall::NftBatchWriter policy;
  policy.set_policy(Family::inet, "filter", "INPUT", "DROP");
  nft->commit(std::move(policy).finish(0));
  EXPECT_EQ(chain("INPUT").policy, "DROP");
  firewall::NftBatchWriter again;
  again.add_table(Family::inet, "filter");
  again.add_base_chain(Family::inet, "filter", "INPUT",
                       *firewall::builtin_hook(Family::inet, "filter", "INPUT"));
  nft->commit(std::move(again).finish(0));
  EXPECT_EQ(chain("INPUT").policy, "DROP");
  firewall::NftBatchWriter ours;
  ours.add_chain(Family::inet, "filter", "OURS", {});
  EXPECT_EQ(nft->try_commit(std::move(ours).finish(0)).error, EEXIST);
  firewall::NftBatchWriter accept;
  accept.set_policy(Family::inet, "filter", "INPUT", "ACCEPT");
  nft->commit(std::move(accept).finish(0));
  EXPECT_EQ(chain("INPUT").policy, "ACCEPT");
}

TEST_F(NftBatches, APolicyMakesNoChain) {
  make_ours();
  for (const char* const name : {"OURS", "FORWARD"}) {
    firewall::NftBatchWriter writer;
    writer.set_policy(Family::inet, "filter", name, "DROP");
    EXPECT_NE(nft->try_commit(std::move(writer).finish(0)).error, 0) << name;
  }
  EXPECT_THAT(nft->chains(), SizeIs(2));
}

TEST_F(NftBatches, KeepTheUserdataOfAChain) {
  firewall::NftBatchWriter writer;
  writer.add_table(Family::inet6, "filter");
  const wire::Bytes mark{std::byte{0x70}, std::byte{1}, std::byte{9}};
  writer.add_chain(Family::inet6, "filter", "OURS", mark);
  nft->commit(std::move(writer).finish(0));
  EXPECT_EQ(chain("OURS").userdata, mark);
  EXPECT_EQ(chain("OURS").family, Family::inet6);
}

TEST_F(NftBatches, RulesOfOneChainAreAskedForAlone) {
  make_ours();
  firewall::NftBatchWriter writer;
  add(writer, '9', {}, "INPUT");
  nft->commit(std::move(writer).finish(0));
  const auto rules =
      firewall::read_rules(nft->ask(firewall::rules_query(Family::inet, "filter", "INPUT")));
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].userdata, wire::Bytes{std::byte{'9'}});
  for (const auto& [family, table, name] :
       {std::tuple{Family::inet6, "filter", "INPUT"}, std::tuple{Family::inet, "nat", "INPUT"},
        std::tuple{Family::inet, "filter", "NOWHERE"}}) {
    EXPECT_THAT(firewall::read_rules(nft->ask(firewall::rules_query(family, table, name))),
                IsEmpty());
  }
}

class NftBatchesAndPrograms : public NftBatches {
 protected:
  void SetUp() override {
    NftBatches::SetUp();
    if (!IsSkipped() && access("/usr/sbin/ebtables-nft", X_OK) != 0) {
      GTEST_SKIP() << "iptables (nft) is not installed";
    }
  }
};

/// The kernel refuses a chain of another hook or type, and iptables one of another priority.
TEST_F(NftBatchesAndPrograms, BuiltInChainsAreThoseOfIptablesAndEbtables) {
  const std::vector<std::string> tables{"raw", "mangle", "nat", "filter", "security"};
  for (const auto& table : tables) {
    test::must_run({"iptables-nft", "-t", table, "-N", "X"});
    test::must_run({"ip6tables-nft", "-t", table, "-N", "X"});
    for (const char* const name : {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}) {
      static_cast<void>(test::run({"iptables-nft", "-t", table, "-A", name}));
      static_cast<void>(test::run({"ip6tables-nft", "-t", table, "-A", name}));
      static_cast<void>(test::run({"ebtables-nft", "-t", table, "-A", name, "-j", "CONTINUE"}));
    }
  }
  firewall::NftBatchWriter same;
  std::size_t count = 0;
  for (const auto& each : nft->chains()) {
    const auto hook = firewall::builtin_hook(each.family, each.table, each.name);
    ASSERT_EQ(hook, each.hook) << format(each.family) << each.table << each.name;
    if (!hook) continue;
    same.add_base_chain(each.family, each.table, each.name, *hook);
    ++count;
  }
  EXPECT_EQ(count, 2U * 17U + 6U);
  // A hook that is no chain's own is EEXIST or EOPNOTSUPP (nf_tables_updchain()).
  nft->commit(std::move(same).finish(0));
  firewall::NftBatchWriter other;
  other.add_base_chain(Family::inet, "filter", "INPUT", {"filter", NF_INET_LOCAL_IN, 1});
  EXPECT_NE(nft->try_commit(std::move(other).finish(0)).error, 0);
}

TEST_F(NftBatchesAndPrograms, ADormantTableStaysDormant) {
  test::must_run({"nft", "-f", "-"}, "table ip filter { flags dormant; chain OURS { }; }");
  firewall::NftBatchWriter writer;
  writer.add_table(Family::inet, "filter");
  add(writer, '1', {});
  nft->commit(std::move(writer).finish(0));
  EXPECT_THAT(test::must_run({"nft", "list", "ruleset"}), HasSubstr("flags dormant"));
}

/// The code of the only rule of `ip filter X` with that expression of nft(8).
firewall::RuleCode code_of(test::NftSide& nft, const std::string& rule) {
  test::must_run({"nft", "-f", "-"},
                 "flush ruleset; table ip filter { chain X { " + rule + "; }; }");
  return nft.rules().at("inet filter X").at(0);
}

TEST_F(NftBatchesAndPrograms, CountsAreNoPartOfARule) {
  for (const auto& [used, fresh] :
       {std::pair{"counter packets 7 bytes 700 accept", "counter accept"},
        std::pair{"quota over 100 bytes used 100 bytes", "quota over 100 bytes"},
        std::pair{"ip ttl 5 quota until 9 mbytes used 5 bytes", "ip ttl 5 quota until 9 mbytes"}}) {
    EXPECT_EQ(code_of(*nft, used), code_of(*nft, fresh)) << used;
    const auto code = code_of(*nft, used);
    firewall::NftBatchWriter writer;
    writer.add_rule(Family::inet, "filter", "X", code, {}, {});
    nft->commit(std::move(writer).finish(0));
    EXPECT_THAT(nft->rules().at("inet filter X"), ElementsAre(code, code));
  }
  EXPECT_NE(code_of(*nft, "quota over 100 bytes"), code_of(*nft, "quota over 101 bytes"));
}

TEST_F(NftBatchesAndPrograms, CommentsOfNftAreComments) {
  EXPECT_THAT(firewall::comments_of(code_of(*nft, "accept comment \"by nft\"")),
              ElementsAre("by nft"));
}

// ---- ipset --------------------------------------------------------------------------------------

class StandInSets : public NftBatchesAndPrograms {
 protected:
  void SetUp() override {
    NftBatchesAndPrograms::SetUp();
    if (!IsSkipped() && access("/usr/sbin/ipset", X_OK) != 0) GTEST_SKIP() << "ipset is missing";
  }

  int error_of(wire::Bytes question) {
    NetlinkSocket socket(NETLINK_NETFILTER);
    return io::ask(socket, {std::move(question)}).error;
  }
};

TEST_F(StandInSets, AreMadeNamedAndTakenAway) {
  for (const char* const name : {"one", "two", "one"}) {
    EXPECT_EQ(error_of(firewall::set_creation(name)), 0) << name;
  }
  EXPECT_EQ(test::must_run({"ipset", "list", "-name"}), "one\ntwo\n");
  const auto two = nft->set_index("two");
  EXPECT_NE(two, nft->set_index("one"));
  EXPECT_EQ(nft->set_name(two), "two");
  EXPECT_EQ(error_of(firewall::set_destruction()), 0);
  EXPECT_EQ(test::must_run({"ipset", "list", "-name"}), "");
}

TEST_F(StandInSets, OnesThatAreNotThereAreENOENT) {
  EXPECT_EQ(error_of(firewall::set_index_query("one")), ENOENT);
  EXPECT_EQ(error_of(firewall::set_name_query(5)), ENOENT);
}

TEST_F(StandInSets, ASetOfAnotherTypeIsInTheWay) {
  test::must_run({"ipset", "create", "nets", "hash:net"});
  EXPECT_EQ(error_of(firewall::set_creation("nets")), EEXIST);
  test::must_run({"iptables-nft", "-A", "INPUT", "-m", "set", "--match-set", "nets", "src"});
  EXPECT_THAT(nft->rules().at("inet filter INPUT").at(0).sets, ElementsAre("nets"));
}

}  // namespace
}  // namespace plumbline::io
