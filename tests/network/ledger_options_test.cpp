// Rows of the ledger on IP options: what the kernel does of itself with a guest's, before it asks
// any policy.

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

constexpr std::uint8_t parameter_problem = 12;
const Like complaint{.carries = Carries::icmp, .type = parameter_problem};

class LedgerOptions : public Ledger {
 protected:
  static constexpr const char* closed = R"("isolation": true, "firewall": {
      "egress": {"defaultAction": "deny"}, "host": {"defaultAction": "deny"}})";

  /// A source route (131 is loose, 137 strict) that was travelled over `whom` already, and behind
  /// it a record of routes that is too short: RFC 791.
  static std::string broken_behind_route(char kind, const IpAddress& whom) {
    std::string options{kind, 7, 8};
    for (const std::byte byte : whom.bytes()) options += static_cast<char>(byte);
    return options + std::string("\x07\x02\x00\x00\x00", 5);
  }
  static std::vector<Packet> with_options(const Station& guest) {
    std::vector<Packet> packets;
    for (const char kind : {'\x83', '\x89'}) {
      for (const IpAddress& to : {remote_ip, uplink_ip, gateway_ip}) {
        packets.push_back(guest.udp(to, denied_port));
        packets.back().options = broken_behind_route(kind, remote_ip);
      }
    }
    return packets;
  }
};

/// The host would complain of them, with the beginning of the packet, to whom the route names.
TEST_F(LedgerOptions, N10_ABrokenOptionIsNoWayOut) {
  for (const bool guarded : {true, false}) {
    apply(closed);
    if (!guarded) must_run({"iptables-nft", "-t", "raw", "-F", "PREROUTING"});
    const auto a = guest('a');
    internet().forget();
    Stream stream(*a, with_options(*a), 1100);
    stream.run_for(1500);  // complaints are limited to one a second and destination
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_EQ(internet().count(complaint) == 0, guarded);
  }
}

}  // namespace
}  // namespace plumbline::test
