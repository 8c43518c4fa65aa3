#include "plumbline/io/iptables.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <set>
#include <thread>

#include "plumbline/io/host.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "plumbline/io/scratch_host.hpp"
#include "src/io/nft_tables.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

bool installed(Backend backend) {
  return access(("/usr/sbin/iptables-" + std::string(format(backend)) + "-restore").c_str(),
                X_OK) == 0;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string one_rule = "*filter\n:MINE - [0:0]\n-A MINE -s 192.0.2.0/24 -j DROP\nCOMMIT\n";

class EachBackend : public test::NetnsTest, public testing::WithParamInterface<Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped() && !installed(GetParam())) {
      GTEST_SKIP() << "iptables (" << format(GetParam()) << ") is not installed";
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Iptables, EachBackend, testing::Values(Backend::nft, Backend::legacy),
                         [](const auto& each) { return std::string(format(each.param)); });

TEST_P(EachBackend, SeesNoRulesWhereThereAreNone) {
  Iptables iptables(GetParam());
  EXPECT_EQ(iptables.dump(Family::inet), wire::Reply{});
  EXPECT_EQ(iptables.dump(Family::inet6), wire::Reply{});
}

TEST_P(EachBackend, RestoresWithoutFlushingAndDumpsIt) {
  Iptables iptables(GetParam());
  EXPECT_EQ(iptables.restore(Family::inet, one_rule), wire::Reply{});
  EXPECT_EQ(iptables.restore(Family::inet6, "*raw\n:SIX - [0:0]\nCOMMIT\n"), wire::Reply{});
  EXPECT_EQ(iptables.restore(Family::inet, "*filter\n:TOO - [0:0]\nCOMMIT\n"), wire::Reply{});
  const auto four = iptables.dump(Family::inet).text;
  EXPECT_TRUE(has(four, "-A MINE -s 192.0.2.0/24 -j DROP\n")) << four;
  EXPECT_TRUE(has(four, ":TOO - [0:0]\n")) << four;
  EXPECT_FALSE(has(four, "SIX")) << four;
  EXPECT_TRUE(has(iptables.dump(Family::inet6).text, ":SIX - [0:0]\n"));
}

TEST_P(EachBackend, SaysWhyARestoreWasRefusedAndChangesNothing) {
  Iptables iptables(GetParam());
  ASSERT_EQ(iptables.restore(Family::inet, one_rule).error, 0);
  const auto before = test::must_run({"iptables-" + std::string(format(GetParam())), "-S"});
  const auto reply = iptables.restore(
      Family::inet, "*filter\n:MINE - [0:0]\n-A MINE -j ACCEPT\n-A MINE -p tcp --bogus\nCOMMIT\n");
  EXPECT_EQ(reply.error, EINVAL);
  EXPECT_TRUE(has(reply.message, "unknown option \"--bogus\"")) << reply.message;
  EXPECT_TRUE(has(reply.message, "line: 4")) << reply.message;
  EXPECT_FALSE(has(reply.message, "\n")) << reply.message;
  EXPECT_FALSE(has(reply.message, "--help")) << reply.message;
  EXPECT_EQ(test::must_run({"iptables-" + std::string(format(GetParam())), "-S"}), before);
}

TEST_P(EachBackend, ACommentCannotHideARule) {
  Iptables iptables(GetParam());
  test::must_run({"iptables-" + std::string(format(GetParam())), "-A", "INPUT", "-m", "comment",
                  "--comment", "x\n# Table `filter' is incompatible\n*nat"});
  EXPECT_TRUE(has(iptables.dump(Family::inet).text, "*nat"));
}

TEST_P(EachBackend, WarnsOfRulesOfTheOtherOneAsLongAsThereAreSome) {
  const Backend other = GetParam() == Backend::nft ? Backend::legacy : Backend::nft;
  if (!installed(other)) GTEST_SKIP() << "only one iptables is installed";
  Iptables iptables(GetParam());
  EXPECT_EQ(iptables.dump(Family::inet).message, "");
  EXPECT_EQ(Iptables(other).restore(Family::inet, one_rule).error, 0);
  const auto reply = iptables.dump(Family::inet);
  EXPECT_EQ(reply.error, 0);
  EXPECT_FALSE(has(reply.text, "MINE"));
  EXPECT_EQ(reply.message, "iptables (" + std::string(format(other)) +
                               ") holds rules too: filter (1 rule, 1 chain). The kernel applies "
                               "both, and only those of " +
                               std::string(format(GetParam())) + " are looked at");
  EXPECT_EQ(iptables.dump(Family::inet6).message, "");
  const std::string program = "iptables-" + std::string(format(other));
  test::must_run({program, "-F"});
  test::must_run({program, "-X"});
  EXPECT_EQ(iptables.dump(Family::inet).message, "");
  test::must_run({program, "-P", "FORWARD", "DROP"});
  EXPECT_TRUE(has(iptables.dump(Family::inet).message, ": filter (1 policy). "));
}

TEST_P(EachBackend, AScratchHostActsElsewhereAndIsEmptiedOnReset) {
  const std::string mine = "iptables-" + std::string(format(GetParam())) + "-save";
  ScratchHost scratch(GetParam());
  const std::vector<wire::Request> requests{
      wire::FirewallRestore{Family::inet, one_rule},
      wire::FirewallRestore{Family::inet, "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"},
      wire::FirewallRestore{Family::inet, "*mangle\n:INPUT DROP [0:0]\nCOMMIT\n"},
      wire::FirewallRestore{Family::inet6, "*nat\n:SIX - [0:0]\n-A INPUT -j SIX\nCOMMIT\n"},
      wire::FirewallRestore{Family::inet, "*security\n:X - [0:0]\n-A INPUT -j X\nCOMMIT\n"},
      wire::FirewallRestore{Family::inet, "*raw\n:X - [0:0]\n-A OUTPUT -j X\nCOMMIT\n"},
      wire::FirewallDump{Family::inet}};
  const auto replies = scratch.exchange(requests);
  for (const auto& reply : replies) EXPECT_EQ(reply.error, 0) << reply.message;
  EXPECT_TRUE(has(replies.back().text, "MINE"));
  EXPECT_EQ(test::must_run({mine}), "");
  scratch.reset();
  const std::vector<wire::Request> look{wire::FirewallDump{Family::inet},
                                        wire::FirewallDump{Family::inet6},
                                        wire::SysctlRead{"net/ipv4/ip_forward"}};
  const auto after = scratch.exchange(look);
  for (const auto& reply : {after[0], after[1]}) {
    EXPECT_FALSE(has(reply.text, "-A ")) << reply.text;
    EXPECT_FALSE(has(reply.text, " - [")) << reply.text;
    EXPECT_FALSE(has(reply.text, "DROP")) << reply.text;
  }
  EXPECT_EQ(after[2].error, EOPNOTSUPP);
  scratch.reset();
}

std::string processes_and_names() {
  std::error_code none;
  std::size_t names = 0;
  for (std::filesystem::directory_iterator at("/run/netns", none), end; !none && at != end; ++at) {
    ++names;
  }
  return std::to_string(names) + " " +
         test::run({"ps", "--no-headers", "-o", "comm", "--ppid", std::to_string(getpid())}).output;
}

std::set<std::string> open_descriptors() {
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    open.insert(entry.path().filename());
  }
  return open;
}

TEST_P(EachBackend, AScratchHostLeavesNoNameNoProcessAndNoDescriptor) {
  const auto before = processes_and_names();
  const auto descriptors = open_descriptors();
  {
    ScratchHost scratch(GetParam());
    const std::vector<wire::Request> requests{wire::FirewallRestore{Family::inet, one_rule}};
    EXPECT_EQ(scratch.exchange(requests).front().error, 0);
    EXPECT_EQ(processes_and_names(), before);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

class NftTables : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped() && !installed(Backend::nft)) GTEST_SKIP() << "iptables-nft is not installed";
    if (!IsSkipped() && test::run({"nft", "--version"}).status != 0) GTEST_SKIP() << "no nft";
  }
};

std::string nft(const std::string& command) { return test::must_run({"nft", "-f", "-"}, command); }
std::string ruleset() { return test::must_run({"nft", "list", "ruleset"}); }

TEST_F(NftTables, AnEmptyOneIsDropped) {
  Iptables iptables(Backend::nft);
  ASSERT_EQ(iptables.restore(Family::inet, one_rule).error, 0);
  ASSERT_EQ(iptables.restore(Family::inet, "*filter\n:MINE - [0:0]\n-X MINE\nCOMMIT\n").error, 0);
  nft("add table ip6 filter; add table ip nat;");
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  EXPECT_EQ(drop_empty_table(nfnetlink, Family::inet, "filter"), wire::Reply{});
  EXPECT_FALSE(has(ruleset(), "table ip filter")) << ruleset();
  EXPECT_TRUE(has(ruleset(), "table ip6 filter")) << ruleset();
  EXPECT_TRUE(has(ruleset(), "table ip nat")) << ruleset();
  EXPECT_EQ(drop_empty_table(nfnetlink, Family::inet, "filter"), wire::Reply{});
}

TEST_F(NftTables, OneThatHoldsAnythingStays) {
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  const std::string empty =
      "add table ip filter; add chain ip filter INPUT { type filter hook "
      "input priority 0; policy accept; };";
  for (const char* more :
       {"add rule ip filter INPUT counter accept", "add chain ip filter MINE",
        "add set ip filter s { type ipv4_addr; }", "add counter ip filter c",
        "add chain ip filter INPUT { policy drop; }",
        "add chain ip filter OUTPUT { type filter hook output priority 0; policy drop; }"}) {
    nft("flush ruleset");
    nft(empty + more);
    const auto before = ruleset();
    EXPECT_EQ(drop_empty_table(nfnetlink, Family::inet, "filter"), wire::Reply{}) << more;
    EXPECT_EQ(ruleset(), before);
  }
}

wire::Bytes nft_message(unsigned type, std::uint16_t flags, std::uint8_t family,
                        const std::function<void(wire::MessageBuilder&)>& fill) {
  wire::MessageBuilder message(static_cast<std::uint16_t>(type), flags);
  const bool in_batch = type >= NFNL_MSG_BATCH_END + 1U;
  message.header(
      nfgenmsg{family, NFNETLINK_V0, in_batch ? std::uint16_t{0} : htons(NFNL_SUBSYS_NFTABLES)});
  fill(message);
  return std::move(message).finish();
}

/// Adds a rule to `filter`, making the table and the chain where they are gone, looks whether it is
/// there, and takes it away again.
class Neighbour {
 public:
  bool finds_its_rule_again() {
    const auto add =
        transact({operation(NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME, 0),
                  operation(NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME),
                  operation(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE,
                            NFTA_RULE_CHAIN)});
    if (add != 0) return false;
    // Fails with ENOENT when the table was deleted with our rule in it.
    return transact({operation(NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE, NFTA_RULE_CHAIN)}) == 0;
  }

 private:
  static wire::Bytes operation(unsigned type, std::uint16_t flags, std::uint16_t table,
                               std::uint16_t chain) {
    return nft_message(
        static_cast<unsigned>(NFNL_SUBSYS_NFTABLES) << 8U | type, flags, NFPROTO_IPV4,
        [&](wire::MessageBuilder& message) {
          message.string(table, "filter");
          if (chain != 0) message.string(chain, "INPUT");
          if (type != NFT_MSG_NEWCHAIN) return;
          message.nest(NFTA_CHAIN_HOOK, [](wire::MessageBuilder& hook) {
            hook.u32(NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN)).u32(NFTA_HOOK_PRIORITY, 0);
          });
          message.string(NFTA_CHAIN_TYPE, "filter");
        });
  }

  int transact(std::vector<wire::Bytes> operations) {
    const auto nothing = [](wire::MessageBuilder&) {};
    operations.insert(operations.begin(), nft_message(NFNL_MSG_BATCH_BEGIN, 0, 0, nothing));
    operations.push_back(nft_message(NFNL_MSG_BATCH_END, 0, 0, nothing));
    wire::Bytes messages;
    for (const wire::Bytes& operation : operations) {
      messages.insert(messages.end(), operation.begin(), operation.end());
    }
    return nfnetlink_.transact(std::move(messages)).error;
  }

  NetlinkSocket nfnetlink_{NETLINK_NETFILTER};
};

/// Somebody adds a rule between our looks and our deletions, again and again.
TEST_F(NftTables, ARuleThatComesAtTheSameTimeIsNotLost) {
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  std::atomic<bool> stop{false};
  int lost = 0;
  std::thread other([&] {  // in the same namespace: threads inherit it
    Neighbour neighbour;
    for (int turn = 0; turn < 3000; ++turn) {
      if (!neighbour.finds_its_rule_again()) ++lost;
      std::this_thread::sleep_for(std::chrono::microseconds(turn % 50));
    }
    stop = true;
  });
  int refused = 0;
  while (!stop) {
    if (drop_empty_table(nfnetlink, Family::inet, "filter").error != 0) ++refused;
  }
  other.join();
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(refused, 0);
}

TEST(ParseBackend, TakesItsThreeNames) {
  EXPECT_EQ(parse_backend("auto"), Backend::automatic);
  EXPECT_EQ(parse_backend("nft"), Backend::nft);
  EXPECT_EQ(parse_backend("legacy"), Backend::legacy);
  EXPECT_EQ(parse_backend("automatic"), std::nullopt);
}

}  // namespace
}  // namespace plumbline::io
