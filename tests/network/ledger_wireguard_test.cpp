// Rows of the ledger that need a real tunnel: WireGuard, made by plumbline, with its far end in
// another network namespace, reached by a wire of its own.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/network/ledger.hpp"
#include "tests/network/watching.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* nothing = "No changes. The host matches the spec.\n";

/// As a file; a machine may have no /dev/stdin.
constexpr const char* standard_input = "/proc/self/fd/0";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

struct KeyPair {
  std::string secret = first_line(must_run({"wg", "genkey"}));
  std::string open = first_line(must_run({"wg", "pubkey"}, secret));
};

class LedgerWireGuard : public Ledger {
 protected:
  void SetUp() override {
    Ledger::SetUp();
    if (IsSkipped()) return;
    if (run({"ip", "link", "add", "probe", "type", "wireguard"}).status != 0) {
      GTEST_SKIP() << "this kernel has no wireguard";
    }
    ip("link del probe");
    if (run({"wg", "--version"}).status != 0) GTEST_SKIP() << "wg is not installed";
    ours_.emplace();
    const KeyPair theirs;
    wire_.emplace("wgup", "198.51.100.10/24", remote_ip);
    wire_->far_side().run([&] { make_far_end(theirs); });
    write_config(theirs);
  }
  void TearDown() override {
    far_.reset();
    if (!config_.empty()) std::filesystem::remove(config_);
    Ledger::TearDown();
  }

  void make_far_end(const KeyPair& theirs) {
    ip("address add 198.51.100.1/24 dev far-wgup");
    ip("link add far0 type wireguard");
    must_run({"wg", "set", "far0", "listen-port", "51821", "private-key", standard_input, "peer",
              ours_->open, "allowed-ips", "0.0.0.0/0"},
             theirs.secret);
    ip("link set far0 up");
    far_.emplace(open_packet_socket("far0"),
                 Manner{.layer = Layer::ip, .ip = remote_ip, .is_everybody = true, .echoes = true});
  }
  void write_config(const KeyPair& theirs) {
    config_ = testing::TempDir() + "plumbline-wg-" + std::to_string(getpid()) + ".conf";
    std::ofstream(config_) << "[Interface]\nPrivateKey = " << ours_->secret
                           << "\nAddress = 10.99.0.2/32\nMTU = 1280\n[Peer]\nPublicKey = "
                           << theirs.open
                           << "\nEndpoint = 198.51.100.1:51821\nAllowedIPs = 0.0.0.0/0\n"
                           << "PersistentKeepalive = 1\n";
    chmod(config_.c_str(), 0600);
  }

  /// What comes out of the tunnel over there.
  Station& far() { return *far_; }
  [[nodiscard]] const std::string& secret() const { return ours_->secret; }
  [[nodiscard]] std::string members(const std::string& tunnel = "") const {
    return R"("wireguard": {"configFile": ")" + config_ + "\"" + tunnel + "}";
  }
  std::uint64_t tunnelled() { return far().count({.from = tunnel_ip, .to = remote_ip}); }
  /// Neither by the uplink nor beside the tunnel on its own wire.
  void expect_nothing_beside() {
    internet().settle();
    for (const Packet& packet : internet().received({.to = remote_ip})) {
      // Of the host itself, once or twice in thirty runs: an answer was under way while the kernel
      // forgot whose it was, and nobody listens at the tunnel's own address.
      const bool is_of_the_host = packet.from == tunnel_ip && packet.carries == Carries::icmp &&
                                  packet.type == icmp_unreachable;
      if (is_of_the_host) continue;
      ADD_FAILURE() << "in clear: " << format(packet) << ", type " << int{packet.type};
    }
    EXPECT_EQ(wire_->station().count({.to = remote_ip}), 0U);
    EXPECT_GT(tunnelled(), 0U);
  }

 private:
  std::optional<KeyPair> ours_;
  std::optional<Wire> wire_;
  std::optional<Station> far_;
  std::string config_;
};

TEST_F(LedgerWireGuard, W1_AManagedTunnelCarriesGuestsOnAFreshHost) {
  apply(members());
  EXPECT_EQ(guest('a')->pings(remote_ip), 3);
  EXPECT_EQ(tunnelled(), 3U);
  expect_nothing_beside();
}

TEST_F(LedgerWireGuard, W2_TheHostAnswersGuestsWhileAManagedTunnelIsOn) {
  apply(members());
  const auto a = guest('a');
  EXPECT_EQ(a->pings(gateway_ip), 3);
  EXPECT_EQ(host_pings(guest_identity('a').ip), 3);
}

TEST_F(LedgerWireGuard, W4_AManagedTunnelIsTakenUpAgainAfterARestart) {
  apply(members());
  ASSERT_EQ(guest('a')->pings(remote_ip), 3);
  const std::string handshake = must_run({"wg", "show", "svwg0", "latest-handshakes"});
  restart();
  EXPECT_EQ(shown(site().prepare(network_spec(members()))), nothing);
  apply(members());
  EXPECT_EQ(must_run({"wg", "show", "svwg0", "latest-handshakes"}), handshake);
}

TEST_F(LedgerWireGuard, W5_AManagedTunnelIsRepairedAndNothingIsInClear) {
  Watching plumbline(network_spec(members()));
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(far().await({.from = tunnel_ip}, 100)) << plumbline.log();
  for (const char* const break_it : {"link set svwg0 down", "link del svwg0"}) {
    ip(break_it);
    stream.run_for(100);
    far().settle();
    far().forget();
    EXPECT_TRUE(far().await({.from = tunnel_ip}, 100)) << break_it << "\n" << plumbline.log();
  }
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  expect_nothing_beside();
}

TEST_F(LedgerWireGuard, W6_BothSidesOfAManagedTunnelAreToldOfSegmentsThatFit) {
  apply(members());
  const auto a = guest('a');
  ASSERT_EQ(a->pings(remote_ip), 3);
  ASSERT_TRUE(a->send(a->syn(remote_ip, 443)));
  const Like first{.carries = Carries::tcp, .to = remote_ip, .type = tcp_syn};
  const Like answer{.carries = Carries::tcp, .from = remote_ip, .type = tcp_syn_ack};
  ASSERT_TRUE(far().await(first));
  EXPECT_EQ(far().received(first).front().mss, 1240);
  ASSERT_TRUE(a->await(answer));
  EXPECT_EQ(a->received(answer).front().mss, 1240);
}

TEST_F(LedgerWireGuard, W9_AManagedTunnelIsMadeThoughNothingIsRoutedIntoIt) {
  apply(members(R"(, "routeAllVmTraffic": false)"));
  EXPECT_THAT(ip("address show dev svwg0"), HasSubstr("10.99.0.2"));
  EXPECT_EQ(guest('a')->pings(remote_ip), 3);
  EXPECT_EQ(internet().count({.from = uplink_ip, .to = remote_ip}), 3U);
  EXPECT_EQ(far().count({.to = remote_ip}), 0U);
}

TEST_F(LedgerWireGuard, W13_NothingLeavesBesideAManagedTunnelThatIsDown) {
  apply(members());
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port}, 50));
  ip("link set svwg0 down");
  stream.run_for(500);
  ip("link del svwg0");
  stream.run_for(500);
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  expect_nothing_beside();
}

TEST_F(LedgerWireGuard, W14_WithoutFailClosedTheUplinkTakesOverFromAManagedTunnel) {
  apply(members(R"(, "failClosed": false)"));
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port}, 50));
  EXPECT_EQ(internet().count({.to = remote_ip}), 0U);
  ip("link set svwg0 down");
  EXPECT_TRUE(internet().await({.from = uplink_ip, .to = remote_ip}, 100));
  // The kernel forgets in its own time which flows have the tunnel's address
  // (nf_nat_masq_schedule() in net/netfilter/nf_nat_masquerade.c).
  internet().settle({.from = tunnel_ip});
  EXPECT_EQ(internet().count({.from = guest_identity('a').ip}), 0U);
  internet().forget();
  stream.run_for(500);
  stream.stop();
  internet().settle();
  EXPECT_GT(internet().count({.from = uplink_ip, .to = remote_ip}), 100U);
  EXPECT_EQ(internet().count({.to = remote_ip}),
            internet().count({.from = uplink_ip, .to = remote_ip}));
}

TEST_F(LedgerWireGuard, W26_TheKeyIsInNoFileOfOursAndInNoWords) {
  std::string all = shown(site().apply(network_spec(members())));
  all += shown(site().prepare(network_spec(members(R"(, "routeTable": 51821)"))));
  all += must_run({PLUMBLINE_BINARY, "show", "--all"});
  std::filesystem::create_directories(engine::state_directory());
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(engine::state_directory())) {
    if (!file.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(file.path()).rdbuf();
    all += text.str();
  }
  EXPECT_THAT(all, Not(HasSubstr(secret().substr(0, 12))));
}

}  // namespace
}  // namespace plumbline::test
