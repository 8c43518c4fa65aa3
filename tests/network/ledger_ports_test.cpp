// Rows of the ledger on TAPs as interfaces of the host: what a bridge hands on as its port's own,
// and what a TAP says that is in no bridge, or not known as a guest's.

#include "tests/network/ledger.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/host_port.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const IpAddress forged_ip = "10.77.0.1"_ip;
constexpr const char* closed = R"("firewall": {"host": {"defaultAction": "deny"}})";

class LedgerPorts : public Ledger {
 protected:
  static Mac link_local(int last) {
    std::array<std::byte, 6> bytes{std::byte{1}, std::byte{0x80}, std::byte{0xc2}};
    bytes[5] = std::byte(last);
    return *Mac::from_bytes(bytes);
  }
  static Mac mac_of_tap() {
    const std::string tap = must_run({"ip", "-o", "link", "show", "tapa"});
    const std::string ether = "link/ether ";
    return Mac::parse(tap.substr(tap.find(ether) + ether.size(), 17)).value();
  }
  /// A question of a guest that gives itself another address and MAC.
  static Packet forged_question(const Station& a, const Mac& to) {
    Packet packet = a.question(gateway_ip);
    packet.from = forged_ip;
    packet.from_mac = packet.arp_mac = "02:00:00:00:77:77"_mac;
    packet.to_mac = to;
    return packet;
  }
  /// To each address that a bridge hands on, UDP and ARP.
  static std::vector<Packet> handed_on(const Station& a) {
    std::vector<Packet> frames;
    for (int last = 0; last < 16; ++last) {
      frames.push_back(a.udp(uplink_ip, denied_port));
      frames.back().to_mac = link_local(last);
      if (last != 0) frames.push_back(forged_question(a, link_local(last)));
    }
    return frames;
  }
  /// And to everybody, and to the TAP, for when it is in no bridge.
  static std::vector<Packet> to_anybody(const Station& a) {
    std::vector<Packet> frames = handed_on(a);
    for (const Mac& to : {mac_of_tap(), "ff:ff:ff:ff:ff:ff"_mac}) {
      frames.push_back(forged_question(a, to));
      frames.push_back(a.udp(uplink_ip, denied_port));
      frames.back().to_mac = to;
    }
    return frames;
  }
  /// As the host knows of the TAPs of both guests.
  static std::string neighbours() {
    return must_run({"ip", "neighbour", "show", "dev", "tapa"}) +
           must_run({"ip", "neighbour", "show", "dev", "tapb"});
  }
  void remove_through(io::Host& host) {
    site().options.allow_empty = true;
    static_cast<void>(site().carry_out(site().prepare(R"({"version": 1})"), &host));
  }
  static void take_rules_of_taps_away() {
    must_run({"iptables-nft", "-t", "raw", "-F", "PREROUTING"});
  }
};

/// Each of them is moved into a group of links that go, and there is time between any two changes.
TEST_F(LedgerPorts, N7_WhileTapsAreRemovedNothingOfThemReachesTheHost) {
  const HostPort port(denied_port);
  for (int round = 0; round < 3; ++round) {
    apply(closed);
    const auto a = guest('a');
    Stream stream(*a, handed_on(*a), 1100);
    stream.run_for(50);
    SteppingHost slow(site().host(), [](std::size_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    remove_through(slow);
    stream.stop();
    EXPECT_EQ(port.arrived(), 0) << round;
    EXPECT_THAT(ip("link show"), Not(HasSubstr("tapa")));
  }
}

/// Whatever it was at, and wherever the TAPs are then.
TEST_F(LedgerPorts, N7_KilledOrRefusedWhileTapsAreRemovedNothingOfThemReachesTheHost) {
  const HostPort port(denied_port);
  SteppingHost counting(site().host(), [](std::size_t) {});
  apply(closed);
  remove_through(counting);
  bool killed = false;
  for (std::size_t at = 0; at < counting.changes(); at += 2, killed = !killed) {
    apply(closed);
    const auto a = guest('a');
    Stream stream(*a, handed_on(*a));
    FailingHost refusing(site().host(), killed ? std::nullopt : std::optional(at), EPERM);
    SteppingHost dying(refusing, [at, killed](std::size_t change) {
      if (killed && change == at) throw Killed();
    });
    try {
      remove_through(dying);
    } catch (const Killed&) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stream.stop();
    EXPECT_EQ(port.arrived(), 0) << at << killed;
    restart();
  }
  EXPECT_GT(counting.changes(), 5U);
}

TEST_F(LedgerPorts, N7_AGuestDoesNotFillTheTableOfNeighbours) {
  ip("link add theirs type bridge");
  ip("link set theirs up");
  const std::vector<std::string> events{"",
                                        "link set tapa group 7",
                                        "link set tapa alias theirs",
                                        "link set tapa nomaster",
                                        "link set tapa master theirs",
                                        "link set tapa nomaster group 7",
                                        "link set tapa arp on"};
  for (const std::string& event : events) {
    apply(closed);
    const auto a = guest('a');
    if (!event.empty()) ip(event);
    Stream stream(*a, to_anybody(*a), 1100);
    stream.run_for(100);
    const bool guarded = event != events.back();
    EXPECT_EQ(neighbours().empty(), guarded) << event << "\n" << neighbours();
    stream.stop();
  }
  apply(closed);
  EXPECT_THAT(ip("link show tapa"), HasSubstr("NOARP")) << "it is repaired";
}

/// Its group is what tells a guest's TAP in no bridge; what a bridge hands on is told by itself.
TEST_F(LedgerPorts, N7_ATapWhoseGroupSomebodyChangedIsNoWayToTheHost) {
  const HostPort port(denied_port);
  ip("link add theirs type bridge");
  ip("link set theirs up");
  apply(closed);
  const auto a = guest('a');
  const auto reached = [&] {
    Stream stream(*a, handed_on(*a), 1100);
    stream.run_for(100);
    stream.stop();
    return port.arrived() > 0;
  };
  ip("link set tapa group 7");
  EXPECT_FALSE(reached());
  ip("link set tapa master theirs");
  EXPECT_FALSE(reached());
  ip("link set tapa master br0");
  take_rules_of_taps_away();
  EXPECT_TRUE(reached());
  apply(closed);
  EXPECT_FALSE(reached());
}

}  // namespace
}  // namespace plumbline::test
