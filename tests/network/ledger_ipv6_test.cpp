// Rows of the ledger on IPv6 that a guest sends to the host itself.

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

const IpAddress remote_ipv6 = "2001:db8::7"_ip;
const IpAddress prefix_of_guest = "2001:db8:66::"_ip;
const IpAddress all_nodes = "ff02::1"_ip;
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t icmpv6 = 58;

std::string text_of(const IpAddress& address) {
  std::string text;
  for (const std::byte byte : address.bytes()) text += static_cast<char>(byte);
  return text;
}

class LedgerIpv6 : public Ledger {
 protected:
  /// A frame of guest `a`, whole.
  static std::string frame(const Mac& to_mac, const IpAddress& from, const IpAddress& to,
                           std::uint8_t next, const std::string& data) {
    std::string text;
    for (const Mac& mac : {to_mac, guest_identity('a').mac}) {
      for (const std::byte byte : mac.bytes()) text += static_cast<char>(byte);
    }
    text += std::string("\x86\xdd\x60\0\0\0\0", 7);
    text += static_cast<char>(data.size());
    text += static_cast<char>(next);
    return text + '\xff' + text_of(from) + text_of(to) + data;
  }

  /// With an option that nobody knows, and whose first bits ask for a complaint, of whatever kind
  /// the address is (RFC 8200, 4.2).
  static std::string with_unknown_option(const Mac& to_mac) {
    const std::string option("\x3b\0\x80\0\x01\0\0\0", 8);
    return frame(to_mac, remote_ipv6, "2001:db8::99"_ip, hop_by_hop, option);
  }

  /// That there is a prefix to make an address of, and a router to whatever is elsewhere: RFC 4861,
  /// 4.2 and 4.6.2.
  static std::string advertisement() {
    const IpAddress router = "fe80::66"_ip;
    std::string data("\x86\0\0\0\x40\0\x07\x08\0\0\0\0\0\0\0\0", 16);
    data += std::string("\x03\x04\x40\xc0\0\x01\x51\x80\0\0\x38\x40\0\0\0\0", 16);
    data += text_of(prefix_of_guest);
    const std::string summed = text_of(router) + text_of(all_nodes) + std::string("\0\0\0", 3) +
                               static_cast<char>(data.size()) + std::string("\0\0\0\x3a", 4) + data;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < summed.size(); i += 2) {
      sum +=
          static_cast<unsigned char>(summed[i]) << 8U | static_cast<unsigned char>(summed[i + 1]);
    }
    while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
    data[2] = static_cast<char>(~sum >> 8U & 0xffU);
    data[3] = static_cast<char>(~sum & 0xffU);
    return frame("33:33:00:00:00:01"_mac, router, all_nodes, icmpv6, data);
  }

  static void send(const Station& a, const std::string& bytes, int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(a.send(bytes));
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }
};

/// The kernel complains of it before it asks any hook of ip6tables.
TEST_F(LedgerIpv6, N12_TheHostTellsNobodyOfAGuestsIpv6) {
  ip("-6 neighbour add fe80::99 lladdr 02:00:00:00:99:01 dev up0 nud permanent");
  ip("-6 route add default via fe80::99 dev up0");
  const Like complaint{.carries = Carries::ipv6, .to = remote_ipv6};
  for (const std::string spoofing : {"true", "false"}) {
    apply(R"("antiSpoofing": )" + spoofing);
    const auto a = guest('a');
    for (const Mac& to : {bridge_mac_of(), "01:80:c2:00:00:03"_mac, "01:80:c2:00:00:0e"_mac}) {
      internet().settle();
      internet().forget();
      send(*a, with_unknown_option(to), 1000);
      internet().settle(complaint);
      EXPECT_EQ(internet().count(complaint), 0U) << spoofing << format(to);
    }
  }
  const auto a = guest('a');
  sysctl("net/ipv6/conf/br0/disable_ipv6", "0");
  send(*a, with_unknown_option(bridge_mac_of()), 1000);
  EXPECT_TRUE(internet().await(complaint));
  apply("");
  EXPECT_EQ(sysctl("net/ipv6/conf/br0/disable_ipv6"), "1") << "it is repaired";
}

TEST_F(LedgerIpv6, N13_AGuestIsNoRouterOfTheHosts) {
  apply(R"("ipv6": "ignore")");
  const auto a = guest('a');
  const auto found = [] {
    return must_run({"ip", "-6", "address", "show", "dev", "br0"}) +
           must_run({"ip", "-6", "route", "show", "default"});
  };
  send(*a, advertisement(), 1000);
  EXPECT_THAT(found(), ::testing::Not(::testing::HasSubstr("2001:db8:66:")));
  EXPECT_THAT(found(), ::testing::Not(::testing::HasSubstr("via fe80::66")));
  sysctl("net/ipv6/conf/br0/accept_ra", "1");
  send(*a, advertisement(), 1000);
  EXPECT_THAT(found(), ::testing::HasSubstr("2001:db8:66:"));
  EXPECT_THAT(found(), ::testing::HasSubstr("via fe80::66"));
}

/// A link whose MTU is too small for IPv6 has no such sysctl, and there is nothing to do.
TEST_F(LedgerIpv6, N12_ABridgeWithoutIpv6IsAsItShallBe) {
  apply("");
  ip("link set br0 mtu 1200");
  ASSERT_FALSE(std::filesystem::exists("/proc/sys/net/ipv6/conf/br0"));
  EXPECT_TRUE(site().prepare(network_spec("")).plan.empty());
  for (const std::string ipv6 : {"ignore", "block"}) apply(R"("ipv6": ")" + ipv6 + "\"");
  remove_all();
}

TEST_F(LedgerIpv6, N13_TheSpecHasTheLastWordOnRouters) {
  const auto with = [](const std::string& ipv6, const std::string& name, const std::string& value) {
    std::string spec = network_spec(R"("ipv6": ")" + ipv6 + "\"");
    spec.insert(spec.size() - 1,
                R"(, "sysctls": {"net.ipv6.conf.br0.)" + name + "\": " + value + "}");
    return spec;
  };
  site().apply(with("ignore", "accept_ra", "2"));
  EXPECT_EQ(sysctl("net/ipv6/conf/br0/accept_ra"), "2");
  site().apply(with("block", "disable_ipv6", "1"));
  EXPECT_THROW(site().apply(with("block", "disable_ipv6", "0")), std::runtime_error);
}

}  // namespace
}  // namespace plumbline::test
