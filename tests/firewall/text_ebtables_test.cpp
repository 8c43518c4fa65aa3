// The words of a rule of ebtables. What ebtables does with those that are refused was looked at
// with ebtables-nft 1.8.9.

#include <gmock/gmock.h>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Words words(std::string_view text) { return split_words(text).value(); }

std::string refused(std::string_view text) {
  const Words split = words(text);
  return refusal(split, options_of(split, Family::bridge), Family::bridge);
}

std::vector<std::string_view> matches(const Words& words) {
  return ebtables_matches(options_of(words, Family::bridge));
}

TEST(OptionsOfEbtables, AnArgumentIsFoundBehindAnExclamationMark) {
  const Words all = words("-s ! 02:00:00:00:00:01 ! -i eth0 --ip-src ! 10.0.0.1 --log -j DROP");
  std::vector<std::string> found;
  for (const RuleOption& option : options_of(all, Family::bridge)) {
    found.push_back(std::string(option.name) + "=" + std::string(option.argument.value_or("?")));
  }
  EXPECT_THAT(found,
              ElementsAre("s=02:00:00:00:00:01", "i=eth0", "ip-src=10.0.0.1", "log=?", "j=DROP"));
}

TEST(OptionsOfEbtables, JoinedArgumentsAreMadeWordsOfTheirOwn) {
  EXPECT_THAT(separated(words("-ieth0 --ip-src=10.0.0.1 -jDROP"), Family::bridge),
              ElementsAre("-i", "eth0", "--ip-src", "10.0.0.1", "-j", "DROP"));
}

TEST(MatchesOfEbtables, AreCountedOnceEachAndTargetsAreNone) {
  EXPECT_THAT(matches(words("-p IPv4 --ip-src 10.0.0.1 --log-ip --ip-proto tcp --mark 1 "
                            "-j mark --mark-set 1 --mark-target CONTINUE")),
              ElementsAre("ip", "log", "mark"));
  EXPECT_THAT(matches(words("-s 02:00:00:00:00:01 -i eth0 -j DROP")), IsEmpty());
}

class RuleOfEbtablesRefused : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RuleOfEbtablesRefused, NamingWhatIsWrong) {
  EXPECT_THAT(refused(GetParam().first), HasSubstr(GetParam().second)) << GetParam().first;
}

INSTANTIATE_TEST_SUITE_P(
    Each, RuleOfEbtablesRefused,
    testing::Values(
        std::pair{"-t nat -j DROP", "'-t'"}, std::pair{"--table nat", "'--table'"},
        std::pair{"-j DROP -A INPUT", "'-A'"}, std::pair{"-I INPUT", "'-I'"},
        std::pair{"-D INPUT 1", "'-D'"}, std::pair{"-F", "'-F'"}, std::pair{"-vi eth0", "'-v'"},
        std::pair{"-c 1 2 -j DROP", "'-c'"}, std::pair{"-M /bin/sh", "'-M'"},
        std::pair{"--modprobe=/bin/sh", "'--modprobe'"}, std::pair{"--check INPUT", "'--check'"},
        std::pair{"--concurrent -j DROP", "'--concurrent'"}, std::pair{"--init-table", "init"},
        std::pair{"--atomic-file /tmp/x", "'--atomic-file'"}, std::pair{"--Ln", "'--Ln'"},
        std::pair{"-- -j DROP", "'--'"}, std::pair{"-m mark --mark 1", "has no '-m'"},
        std::pair{"--comment x -j DROP", "has no '--comment'"},
        std::pair{"--prot IPv4", "cut short"}, std::pair{"--j DROP", "cut short"},
        std::pair{"-g INPUT", "'-g'"}, std::pair{"--log --comment -A", "has no '--comment'"},
        std::pair{"--among-src 02:00:00:00:00:01", "a rule for each"},
        std::pair{"--among-src-file /etc/passwd", "a rule for each"},
        std::pair{"-p IPv4 --ip-src localhost", "looked up"},
        std::pair{"-p IPv4 --ip-src ! 010.1.1.1", "no address"},
        std::pair{"-p ARP --arp-ip-dst 10.1", "no address"},
        std::pair{"-p IPv6 --ip6-src fd00::/129", "no address"},
        std::pair{"-i ! + -j DROP", "no interface"}, std::pair{"! --logical-in +", "no interface"},
        std::pair{"-i \"\"", "empty"}, std::pair{"-o ! sixteen--letters", "16 bytes"},
        std::pair{"-p 0x600", "LENGTH"}, std::pair{"-p ! 0600", "LENGTH"},
        std::pair{"--proto 600", "LENGTH"}, std::pair{"--log-prefix \"a\\\\b\"", "backslashes"},
        std::pair{"--nflog-prefix \"a\\\"b\"", "quotes"},
        std::pair{"--mark 1 --mark 2", "given twice"},
        std::pair{"-p 802_1Q --vlan-id 5 --vlan-prio 2", "'--vlan-prio' beside"},
        std::pair{"-p IPv4 --ip-src 10.0.0.1 --limit 3/s --log -j DROP", "2 matches"},
        std::pair{"-j NFQUEUE", "no target of ebtables"}, std::pair{"-j log", "write '--log'"},
        std::pair{"-j REJECT", "no target"}, std::pair{"-j standard", "no target"}));

TEST(RefusalOfEbtables, LetsPassWhatIsARule) {
  for (const char* text :
       {"", "-j DROP", "-p IPv4 -i eth0 -o ! eth1+ -j CONTINUE", "-p ! LENGTH -j RETURN",
        "-s ! 02:00:00:00:00:01/ff:ff:ff:00:00:00 -d Multicast -j OTHER",
        "-p IPv4 --ip-src ! 10.0.0.0/8 --ip-proto tcp --ip-dport 22:80 --limit 3/s -j ACCEPT",
        "-p IPv6 --ip6-dst fd00::/64 --ip6-proto ipv6-icmp --ip6-icmp-type ! 133:136/0:255",
        "-p ARP --arp-op Request --arp-ip-src 10.0.0.1 --arp-mac-src 02:00:00:00:00:01",
        "--log --log-prefix \"-A INPUT\" --log-ip -j CONTINUE", "--logical-out br0",
        "-p 802_1Q --vlan-id ! 5 --vlan-encap 0800", "-p 0x0800 -j DROP", "-p LENGTH --802_3-sap 1",
        "-j mark --mark-or 0x5 --mark-target CONTINUE",
        "-j snat --to-src 02:00:00:00:00:01 "
        "--snat-arp --snat-target ACCEPT",
        "-j arpreply --arpreply-mac 02:00:00:00:00:01", "--pkttype-type broadcast",
        "-d BGA --stp-type 1", "--nflog-group 5 --nflog-prefix \"a b\""}) {
    EXPECT_EQ(refused(text), "") << text;
  }
}

TEST(ChainNameOfEbtables, IsNoTargetOfEitherProgram) {
  for (const char* name : {"dnat", "mark", "CONTINUE", "log", "nflog", "standard", "ACCEPT", "LOG",
                           "-x", "!x", "a b", "twenty-nine-letters-are-a-lot"}) {
    EXPECT_NE(chain_name_refusal(name, Family::bridge), "") << name;
  }
  EXPECT_EQ(chain_name_refusal("twenty-eight-letters-are-not", Family::bridge), "");
  EXPECT_EQ(chain_name_refusal("dnat"), "");
}

}  // namespace

}  // namespace plumbline::firewall
