// Rules of the installed iptables, read from the kernel and written into another network namespace:
// there they are the same bytes, and the same to iptables.

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "plumbline/firewall/text/iptables.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/nft_rules.hpp"

namespace plumbline::io {
namespace {

using testing::ElementsAre;

/// Two namespaces: `here`, where the test runs programs, and `there`.
class NftRulesInTheKernel : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (access("/usr/sbin/iptables-nft-restore", X_OK) != 0) {
      GTEST_SKIP() << "iptables (nft) is not installed";
    }
    here.emplace();
    elsewhere.run([this] { there.emplace(); });
  }

  /// Copies `here` to `there` and says how they differ.
  void expect_an_equal_copy() {
    const auto batch = there->copy_of(*here);
    const wire::Reply reply = there->try_commit(batch);
    ASSERT_EQ(reply.error, 0) << reply.message;
    // Each rule was sent back as it is held from then on, in order.
    const auto sent = here->dump();
    const auto echoed = firewall::read_rules(reply.bytes);
    ASSERT_EQ(echoed.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(there->code(echoed[i]), here->code(sent[i])) << i;
    }
    const auto mine = here->rules();
    const auto theirs = there->rules();
    ASSERT_EQ(mine.size(), theirs.size());
    for (const auto& [chain, rules] : mine) {
      ASSERT_TRUE(theirs.contains(chain)) << chain;
      ASSERT_EQ(rules.size(), theirs.at(chain).size()) << chain;
      for (std::size_t place = 0; place < rules.size(); ++place) {
        EXPECT_EQ(rules[place], theirs.at(chain)[place]) << chain << ' ' << place;
      }
    }
    std::string saved;
    elsewhere.run([&] { saved = test::saved_by_nft(); });
    EXPECT_EQ(test::saved_by_nft(), saved);
  }

  NetworkNamespace elsewhere = NetworkNamespace::make_scratch();
  std::optional<test::NftSide> here;
  std::optional<test::NftSide> there;
};

constexpr std::string_view rules_of_ip4 = R"(*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT DROP [0:0]
-A PREROUTING -p udp -j CT --notrack
-A PREROUTING -i eth+ ! -s 10.0.0.0/8 -j TRACE
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -j TPROXY --on-port 50080 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1
-A OUTPUT -m owner --uid-owner 0 -j MARK --set-xmark 0x40/0xffffffff
-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A POSTROUTING -j CONNMARK --save-mark
-A POSTROUTING -m dscp --dscp 0x2e -j DSCP --set-dscp 0x08
-A POSTROUTING -j CLASSIFY --set-class 0001:0234
-A PREROUTING -j SET --map-set first src --map-mark
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:TARGETS - [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080
-A PREROUTING -j TARGETS
-A TARGETS -p udp -m multiport --dports 53,67:69 -j REDIRECT --to-ports 1053
-A POSTROUTING -o eth0 ! -d 192.0.2.0/24 -j MASQUERADE --random
-A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:1024-2048
-A OUTPUT -d 192.0.2.5/32 -j NETMAP --to 198.51.100.5/32
COMMIT
*security
-A FORWARD -m conntrack --ctstate NEW,RELATED -j DROP
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:FIRST - [0:0]
:LATER - [0:0]
:a-chain-with-a-long-name-27c - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[7:700] -A INPUT -p tcp -m tcp --dport 22 -m recent --set --name SSH --rsource
-A INPUT -p tcp -m hashlimit --hashlimit-above 5/min --hashlimit-mode srcip --hashlimit-name ssh
-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT
-A INPUT ! -p tcp -m addrtype --dst-type BROADCAST -j DROP
-A INPUT ! -p udp -m length --length 100:200 -j RETURN
-A INPUT -p 47 -j ACCEPT
-A INPUT -j FIRST
-A FIRST -g LATER
-A LATER -m comment --comment "one \"quoted\" comment" -j a-chain-with-a-long-name-27c
-A LATER -j LOG --log-prefix "refused: " --log-tcp-options --log-level 6
-A LATER -j NFLOG --nflog-prefix "seen" --nflog-group 30
-A LATER -p tcp -j REJECT --reject-with tcp-reset
-A LATER -j REJECT
-A a-chain-with-a-long-name-27c -m statistic --mode random --probability 0.5 -j ACCEPT
-A a-chain-with-a-long-name-27c -m statistic --mode nth --every 3 --packet 0 -j NFQUEUE --queue-num 4
-A a-chain-with-a-long-name-27c -p tcp -m connlimit --connlimit-above 16 -j DROP
-A a-chain-with-a-long-name-27c -m quota --quota 2000 -j ACCEPT
-A a-chain-with-a-long-name-27c -m string --string "attack" --algo bm -j DROP
-A a-chain-with-a-long-name-27c -m u32 --u32 "0x6&0xff=0x1"
-A a-chain-with-a-long-name-27c -m time --weekdays Mon,Tue --timestart 08:00 --timestop 18:00
-A a-chain-with-a-long-name-27c -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"
-A a-chain-with-a-long-name-27c -m mac --mac-source 02:00:00:00:00:01 -m physdev --physdev-in p+
-A a-chain-with-a-long-name-27c -m set --match-set second src,dst -m set ! --match-set first src
-A a-chain-with-a-long-name-27c -m set --match-set third dst --packets-gt 4 --bytes-lt 700
-A a-chain-with-a-long-name-27c -j SET --add-set third src --exist --timeout 60
-A a-chain-with-a-long-name-27c -j SET --del-set second src
-A a-chain-with-a-long-name-27c -m set --match-set third src -j SET --add-set first dst
-A a-chain-with-a-long-name-27c
COMMIT
)";

constexpr std::string_view rules_of_ip6 = R"(*filter
:INPUT DROP [0:0]
:SIX - [0:0]
:SIX2 - [0:0]
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
-A INPUT ! -p udp -s fe80::/10 -m eui64 -j SIX
-A SIX -m rt --rt-type 0 -j DROP
-A SIX -p tcp -m tcp --dport 1:1024 -m comment --comment "of six" -g SIX2
-A SIX -j REJECT --reject-with icmp6-adm-prohibited
COMMIT
*nat
-A POSTROUTING -o eth1 -j MASQUERADE
COMMIT
)";

constexpr std::string_view rules_of_bridge = R"(*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
:GUESTS ACCEPT
-A FORWARD -p IPv4 --ip-proto udp --ip-dport 53 -j ACCEPT
-A FORWARD -p IPv6 --ip6-proto tcp -j ACCEPT
-A FORWARD -p ! IPv4 -j GUESTS
-A FORWARD -p ARP --arp-op 1 --arp-ip-src 192.0.2.1 -j ACCEPT
-A FORWARD -p 802_1Q --vlan-id 5 -j CONTINUE
-A FORWARD -p LENGTH -j DROP
-A GUESTS -i port0 -s 02:00:00:00:00:01 -j mark --mark-set 0x5 --mark-target ACCEPT
-A GUESTS -p IPv4 -j mark --mark-set 0x5 --mark-target CONTINUE
-A GUESTS --limit 3/sec --log-level notice --log-prefix "seen" -j DROP
-A GUESTS -d BGA --stp-type 0 -j DROP
-A GUESTS --pkttype-type multicast -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
-A PREROUTING -p ARP --arp-op Request -j arpreply --arpreply-mac 02:00:00:00:00:02
-A POSTROUTING -p IPv4 -j snat --to-source 02:00:00:00:00:03 --snat-target ACCEPT
-A OUTPUT -j dnat --to-destination 02:00:00:00:00:04
COMMIT
)";

void make_sets(test::NftSide& side, const std::vector<std::string>& names) {
  for (const auto& name : names) static_cast<void>(side.ask(firewall::set_creation(name)));
}

TEST_F(NftRulesInTheKernel, AreTheSameWhereTheyAreWrittenAgain) {
  make_sets(*here, {"first", "second", "third"});
  make_sets(*there, {"third", "unused", "second", "first"});
  ASSERT_NE(here->set_index("first"), there->set_index("first"));
  test::must_run({"iptables-nft-restore", "-c"}, rules_of_ip4);
  test::must_run({"ip6tables-nft-restore"}, rules_of_ip6);
  test::must_run({"ebtables-nft-restore"}, rules_of_bridge);
  expect_an_equal_copy();
}

/// What iptables-nft-save and ip6tables-nft-save print, by the places that NftRules has.
std::map<std::string, std::vector<std::string>> saved_rules() {
  std::map<std::string, std::vector<std::string>> rules;
  for (const auto& [program, family] :
       {std::pair{"iptables-nft-save", "inet "}, std::pair{"ip6tables-nft-save", "inet6 "}}) {
    std::istringstream saved(test::must_run({program}));
    std::string table;
    for (std::string line; std::getline(saved, line);) {
      if (line.starts_with("*")) table = line.substr(1);
      if (!line.starts_with("-A ")) continue;
      const std::string chain = line.substr(3, line.find(' ', 3) - 3);
      rules[family + table + ' ' + chain].push_back(line);
    }
  }
  return rules;
}

void expect_meaning(const std::vector<firewall::RuleCode>& rules,
                    const std::vector<std::string>& saved) {
  ASSERT_EQ(rules.size(), saved.size());
  for (std::size_t place = 0; place < rules.size(); ++place) {
    const auto words = firewall::split_words(saved[place]);
    ASSERT_TRUE(words) << saved[place];
    const firewall::Options options = firewall::options_of(*words);
    auto targets = firewall::jumps_of(options);
    std::ranges::replace(targets, "NOTRACK", "CT");  // names of one extension
    EXPECT_EQ(firewall::targets_of(rules[place]), targets) << saved[place];
    EXPECT_EQ(firewall::comments_of(rules[place]), firewall::comments_of(options)) << saved[place];
  }
}

TEST_F(NftRulesInTheKernel, EveryAcceptanceRuleIsTheSameWhereItIsWrittenAgain) {
  std::ifstream file(std::filesystem::path(PLUMBLINE_SOURCE_DIR) /
                     "../shared/firewall/rules.jsonl");
  if (!file) GTEST_SKIP() << "the acceptance rules are not here";
  std::map<int, std::map<std::string, std::map<std::string, std::string>>> texts;
  std::size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto rule = boost::json::parse(line).as_object();
    const auto word = [&](const char* member) { return std::string(rule.at(member).as_string()); };
    auto& text =
        texts[static_cast<int>(rule.at("family").as_int64())][word("table")][word("chain")];
    text += "-A " + word("chain") + ' ' + word("rule") + '\n';
  }
  for (const auto& [family, tables] : texts) {
    std::string text;
    for (const auto& [table, chains] : tables) {
      text += '*' + table + '\n';
      for (const auto& [chain, rules] : chains) text += ':' + chain + " - [0:0]\n";
      for (const auto& [chain, rules] : chains) text += rules;
      text += "COMMIT\n";
    }
    test::must_run({family == 4 ? "iptables-nft-restore" : "ip6tables-nft-restore"}, text);
  }
  EXPECT_EQ(here->dump().size(), count);
  expect_an_equal_copy();
  for (const auto& [chain, lines] : saved_rules()) {
    expect_meaning(here->rules().at(chain), lines);
  }
}

TEST_F(NftRulesInTheKernel, SayWhatIptablesSaysOfTheirTargetsAndComments) {
  make_sets(*here, {"first", "second", "third"});
  test::must_run({"iptables-nft-restore"}, rules_of_ip4);
  const auto rules = here->rules();
  for (const auto& [chain, lines] : saved_rules()) expect_meaning(rules.at(chain), lines);
  const auto& later = rules.at("inet filter LATER");
  EXPECT_THAT(firewall::comments_of(later[0]), ElementsAre("one \"quoted\" comment"));
  EXPECT_THAT(firewall::comments_of(later[1]), ElementsAre());
}

}  // namespace
}  // namespace plumbline::io
