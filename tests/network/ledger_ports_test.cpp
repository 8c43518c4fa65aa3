// Rows of the ledger on TAPs as interfaces of the host: what a bridge hands on as its port's own,
// and what a TAP says that is in no bridge, or not known as a guest's.

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>

#include <cstring>

#include "tests/network/ledger.hpp"
#include "tests/network/watching.hpp"
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

  /// The first fragment of a packet, as bytes: the header's checksum follows.
  static std::string first_fragment(const Station& from, const Packet& packet) {
    constexpr std::size_t flags = 20;
    constexpr std::size_t checksum = 24;
    constexpr unsigned more_fragments = 0x20;
    std::string bytes = from.bytes_of(packet);
    bytes.at(flags) = static_cast<char>(more_fragments);
    const auto high = static_cast<unsigned char>(bytes.at(checksum));
    bytes.at(checksum) = static_cast<char>(high - more_fragments - (high < more_fragments ? 1 : 0));
    return bytes;
  }
  /// Fragments that the host began to put together.
  static long reassembled() {
    std::ifstream in("/proc/thread-self/net/snmp");
    std::vector<std::string> names;
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("Ip: ")) continue;
      std::istringstream words(line);
      std::vector<std::string> values{std::istream_iterator<std::string>(words), {}};
      const auto place = std::ranges::find(names, "ReasmReqds");
      if (place != names.end()) return std::stol(values.at(place - names.begin()));
      names = values;
    }
    return -1;
  }

  /// Gives a TAP another MAC of its own as whoever holds it can, without any capability.
  static void set_mac(const io::Descriptor& tap, const Mac& mac) {
    ifreq request{};
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::memcpy(request.ifr_hwaddr.sa_data, mac.bytes().data(), mac.bytes().size());
    EXPECT_EQ(ioctl(tap.get(), SIOCSIFHWADDR, &request), 0);
  }
};

/// Neither does the host look at them as packets of the TAP, before any hook, nor do neighbours
/// get them.
TEST_F(LedgerPorts, N11_AFrameThatABridgeWouldHandOnIsAFrameAsAnyOther) {
  apply(closed);
  const auto a = guest('a');
  const auto b = guest('b');
  for (const bool guarded : {true, false}) {
    if (!guarded) ip("link set tapa type bridge_slave group_fwd_mask 0");
    b->settle();
    b->forget();
    const long before = reassembled();
    for (int last = 0; last < 16; ++last) {
      Packet packet = a->udp(gateway_ip, denied_port);
      packet.to_mac = link_local(last);
      packet.size = 64;
      for (int i = 0; i < 100; ++i) {
        packet.from_port = static_cast<std::uint16_t>(1024 + i);
        EXPECT_TRUE(a->send(packet));
        EXPECT_TRUE(a->send(first_fragment(*a, packet)));
      }
    }
    b->settle();
    EXPECT_EQ(reassembled() == before, guarded) << reassembled() - before;
    EXPECT_EQ(b->count({.carries = Carries::udp}), 0U);
  }
  apply(closed);
  EXPECT_THAT(ip("-d link show tapa"), HasSubstr("group_fwd_mask 0xfffd")) << "it is repaired";
}

/// From the host, of whom the bridge knows where it is.
TEST_F(LedgerPorts, N14_ATapWithAnothersMacGetsNothingOfIt) {
  std::optional<Watching> watching(network_spec(closed));
  const io::Descriptor tap = open_tap("tapa");
  const auto b = guest('b');
  ip("neighbour replace " + format(guest_identity('b').ip) + " lladdr " +
     format(guest_identity('b').mac) + " dev br0 nud permanent");
  const auto pings_of_b = [&] { return host_pings(guest_identity('b').ip); };
  EXPECT_EQ(pings_of_b(), 3);
  for (int i = 0; i < 5; ++i) {
    set_mac(tap, guest_identity('b').mac);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (mac_of_tap() != bridge_mac_of() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(mac_of_tap(), bridge_mac_of()) << watching->log();
    EXPECT_TRUE(b->send(b->question(gateway_ip))) << "it is heard of again";
    EXPECT_EQ(pings_of_b(), 3);
  }
  watching.reset();
  set_mac(tap, guest_identity('b').mac);
  EXPECT_EQ(pings_of_b(), 0) << "nobody watches";
  apply(closed);
  EXPECT_EQ(mac_of_tap(), bridge_mac_of());
  EXPECT_TRUE(b->send(b->question(gateway_ip)));
  EXPECT_EQ(pings_of_b(), 3);
}

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
    const bool guarded = event != events.back();
    if (!guarded) ip("link set tapa type bridge_slave group_fwd_mask 0");
    Stream stream(*a, to_anybody(*a), 1100);
    stream.run_for(100);
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
