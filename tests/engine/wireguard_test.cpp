// Tunnels on the real kernel, with sessions and packets between two network namespaces. wg(8) and
// ip(8) are the other side and the witnesses.
//
// `up0` 10.200.0.1 is here, `up1` 10.200.0.2 over there, where the tunnels `far1` and `far2` are
// the two peers of `wg0`.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "plumbline/spec/compose.hpp"
#include "src/report/json.hpp"
#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// As a file; a machine may have no /dev/stdin.
constexpr const char* standard_input = "/proc/self/fd/0";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

struct KeyPair {
  std::string secret = first_line(must_run({"wg", "genkey"}));
  std::string open = first_line(must_run({"wg", "pubkey"}, secret));
};

/// Another namespace, and programs run in it.
class FarSide {
 public:
  FarSide() : here_(open_own()) {
    if (const std::string why_not = enter_new_netns(); !why_not.empty()) {
      throw std::runtime_error(why_not);
    }
    there_ = open_own();
    ip("link add up1 type veth peer name up0");
    // The kernel finds a namespace by any thread that is in it, or by an open descriptor.
    ip("link set up0 netns /proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(here_));
    ip("link set up1 up");
    ip("link set lo up");
    ip("address add 10.200.0.2/24 dev up1");
    go(here_);
    ip("link set up0 up");
    ip("link set lo up");
    ip("address add 10.200.0.1/24 dev up0");
  }
  FarSide(const FarSide&) = delete;
  FarSide& operator=(const FarSide&) = delete;
  ~FarSide() {
    close(here_);
    close(there_);
  }

  std::string run(const std::vector<std::string>& arguments, std::string_view input = {}) const {
    go(there_);
    const CommandResult result = test::run(arguments, input);
    go(here_);
    if (result.status != 0) throw std::runtime_error(arguments.front() + ": " + result.output);
    return result.output;
  }

 private:
  static int open_own() { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }
  static void go(int where) {
    if (setns(where, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
  }

  int here_;
  int there_ = -1;
};

struct Peer {
  std::string key;
  std::string endpoint;
  std::vector<std::string> allowed;
  int keepalive = 0;
  std::string preshared = {};
};

std::string text_of(const Peer& peer) {
  std::string text = "\"" + peer.key + "\": {\"allowedIps\": [";
  for (const std::string& prefix : peer.allowed) {
    text += (text.ends_with('[') ? "\"" : ", \"") + prefix + "\"";
  }
  text += "], \"persistentKeepalive\": " + std::to_string(peer.keepalive);
  if (!peer.endpoint.empty()) text += ", \"endpoint\": \"" + peer.endpoint + "\"";
  if (!peer.preshared.empty()) text += ", \"presharedKey\": \"" + peer.preshared + "\"";
  return text + "}";
}

struct Tunnel {
  std::string secret;
  std::vector<Peer> peers;
  std::string more = R"(, "listenPort": 51820)";

  [[nodiscard]] std::string spec() const {
    std::string list;
    for (const Peer& peer : peers) list += (list.empty() ? "" : ", ") + text_of(peer);
    return R"({"version": 1, "links": {"wg0": {"kind": "wireguard", "addresses": ["10.99.1.1/24", "10.99.2.1/24"],
              "wireguard": {"privateKey": ")" +
           secret + "\"" + more + ", \"peers\": {" + list + "}}}}}";
  }
};

/// The order of peers is that in which they were made.
std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

class WireGuardTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (run({"ip", "link", "add", "probe", "type", "wireguard"}).status != 0) {
      GTEST_SKIP() << "this kernel has no wireguard";
    }
    ip("link del probe");
    if (run({"wg", "--version"}).status != 0) GTEST_SKIP() << "wg is not installed";
    if (run({"ping", "-V"}).status != 0) GTEST_SKIP() << "ping is not installed";
    ours = KeyPair();
    peer1 = KeyPair();
    peer2 = KeyPair();
    far.emplace();
    make_far("far1", peer1, 51821, "10.99.1");
    make_far("far2", peer2, 51822, "10.99.2");
    wanted = {ours->secret,
              {{peer1->open, "10.200.0.2:51821", {"10.99.1.0/24"}},
               {peer2->open, "10.200.0.2:51822", {"10.99.2.0/24"}}}};
  }

  void make_far(const std::string& name, const std::optional<KeyPair>& keys, int port,
                const std::string& network) {
    far->run({"ip", "link", "add", name, "type", "wireguard"});
    far->run({"wg", "set", name, "listen-port", std::to_string(port), "private-key", standard_input,
              "peer", ours->open, "allowed-ips", network + ".1/32", "endpoint", "10.200.0.1:51820"},
             keys->secret);
    far->run({"ip", "address", "add", network + ".2/24", "dev", name});
    far->run({"ip", "link", "set", name, "up"});
  }

  static bool answers(const std::string& address) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (run({"ping", "-n", "-q", "-c", "1", "-W", "2", address}).status == 0) return true;
    }
    return false;
  }
  /// The line of the peer in what `wg show wg0 WHAT` says, without its key.
  static std::string of_peer(const std::string& what, const std::optional<KeyPair>& peer) {
    std::istringstream lines(must_run({"wg", "show", "wg0", what}));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(peer->open)) return line.substr(line.find('\t') + 1);
    }
    return "no such peer";
  }
  static std::string plan_of(Site& site, const Tunnel& tunnel) {
    return shown(site.prepare(tunnel.spec()));
  }
  static constexpr const char* nothing = "No changes. The host matches the spec.\n";

  std::optional<KeyPair> ours;
  std::optional<KeyPair> peer1;
  std::optional<KeyPair> peer2;
  std::optional<FarSide> far;
  Tunnel wanted;
};

TEST_F(WireGuardTest, IsMadeAndCarriesPacketsAndIsGoneAfterwards) {
  Site site;
  const std::string before = dump_namespace();
  site.apply(wanted.spec());
  EXPECT_TRUE(answers("10.99.1.2"));
  EXPECT_TRUE(answers("10.99.2.2"));
  EXPECT_EQ(plan_of(site, wanted), nothing);
  EXPECT_EQ(first_line(must_run({"wg", "show", "wg0", "public-key"})), ours->open);
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

TEST_F(WireGuardTest, NoKeyIsEverShown) {
  Site site;
  const std::string preshared = KeyPair().secret;
  wanted.peers[0].preshared = preshared;
  const engine::Prepared first = site.apply(wanted.spec());
  const KeyPair other;
  wanted.secret = other.secret;
  const engine::Prepared second = site.prepare(wanted.spec());
  std::string all = shown(first) + shown(second);
  all += boost::json::serialize(report::to_json(first.plan));
  all += boost::json::serialize(report::to_json(second.plan));
  all += boost::json::serialize(spec::compose(second.have.state));
  EXPECT_THAT(all, HasSubstr(ours->open));
  for (const std::string& secret : {ours->secret, other.secret, preshared}) {
    EXPECT_THAT(all, Not(HasSubstr(secret.substr(0, 8))));
  }
}

TEST_F(WireGuardTest, AChangeOfOnePeerKeepsTheSessionOfTheOther) {
  Site site;
  site.apply(wanted.spec());
  ASSERT_TRUE(answers("10.99.1.2"));
  ASSERT_TRUE(answers("10.99.2.2"));
  const std::string handshake = of_peer("latest-handshakes", peer1);
  ASSERT_NE(handshake, "0");
  const auto expect_untouched = [&] {
    EXPECT_EQ(of_peer("latest-handshakes", peer1), handshake);
    EXPECT_THAT(of_peer("transfer", peer1), Not(::testing::StartsWith("0")));
    EXPECT_TRUE(answers("10.99.1.2"));
    EXPECT_EQ(of_peer("latest-handshakes", peer1), handshake) << "a new session was needed";
  };
  wanted.peers[1].keepalive = 7;
  wanted.peers[1].allowed.push_back("10.77.0.0/16");
  wanted.peers[1].preshared = KeyPair().secret;
  site.apply(wanted.spec());
  expect_untouched();
  wanted.peers[1].preshared.clear();
  wanted.peers[1].keepalive = 0;
  wanted.peers[1].allowed.pop_back();
  site.apply(wanted.spec());
  EXPECT_EQ(of_peer("preshared-keys", peer2), "(none)");
  EXPECT_EQ(of_peer("allowed-ips", peer2), "10.99.2.0/24");
  EXPECT_EQ(of_peer("persistent-keepalive", peer2), "off");
  expect_untouched();
  wanted.peers.pop_back();
  site.apply(wanted.spec());
  EXPECT_EQ(of_peer("endpoints", peer2), "no such peer");
  expect_untouched();
}

/// Packets that wg0 had no peer for, or could not send.
std::string lost_packets() {
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::string word;
    words >> name;
    if (name != "wg0:") continue;
    for (int i = 0; i < 11; ++i) words >> word;  // 8 of what came in; bytes, packets, errors
    return word;
  }
  return "no wg0";
}

TEST_F(WireGuardTest, WhatStaysOrMovesIsNeverWithoutAPeer) {
  Site site;
  wanted.peers[0].allowed = {"10.99.1.0/24", "10.50.0.0/16", "10.51.0.0/16"};
  site.apply(wanted.spec());
  ip("route add 10.50.0.0/16 dev wg0");
  ASSERT_TRUE(answers("10.99.1.2"));
  ASSERT_TRUE(answers("10.99.2.2"));
  ASSERT_EQ(lost_packets(), "0");

  const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::atomic<bool> sending = true;
  std::atomic<std::size_t> sent = 0;
  std::thread sender([&] {
    while (sending) {
      for (const char* to : {"10.99.1.2", "10.50.0.1"}) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(9);
        inet_pton(AF_INET, to, &address.sin_addr);
        sendto(udp, "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ++sent;
      }
    }
  });
  for (int round = 0; round < 5; ++round) {
    for (const bool moved : {true, false}) {
      // 10.50/16 goes to and fro, 10.51/16 is nobody's and peer1's again.
      wanted.peers[0].allowed = {"10.99.1.0/24"};
      wanted.peers[1].allowed = {"10.99.2.0/24"};
      wanted.peers[moved ? 1 : 0].allowed.push_back("10.50.0.0/16");
      if (!moved) wanted.peers[0].allowed.push_back("10.51.0.0/16");
      site.apply(wanted.spec());
    }
  }
  sending = false;
  sender.join();
  close(udp);
  EXPECT_GT(sent, 100U);
  EXPECT_EQ(lost_packets(), "0") << "of " << sent;
  EXPECT_EQ(of_peer("allowed-ips", peer2), "10.99.2.0/24");
}

TEST_F(WireGuardTest, ARoamedEndpointIsNoDriftUntilTheSpecSaysAnother) {
  Site site;
  site.apply(wanted.spec());
  ASSERT_TRUE(answers("10.99.1.2"));
  far->run({"wg", "set", "far1", "listen-port", "51999"});
  far->run({"ping", "-n", "-q", "-c", "1", "-W", "5", "10.99.1.1"});
  ASSERT_EQ(of_peer("endpoints", peer1), "10.200.0.2:51999");
  EXPECT_EQ(plan_of(site, wanted), nothing);

  wanted.peers[0].keepalive = 9;
  site.apply(wanted.spec());
  EXPECT_EQ(of_peer("endpoints", peer1), "10.200.0.2:51999");

  wanted.peers[0].endpoint = "10.200.0.2:52000";
  EXPECT_THAT(plan_of(site, wanted), HasSubstr("10.200.0.2:51999 -> 10.200.0.2:52000"));
  far->run({"wg", "set", "far1", "listen-port", "52000"});
  site.apply(wanted.spec());
  EXPECT_EQ(of_peer("endpoints", peer1), "10.200.0.2:52000");
  EXPECT_TRUE(answers("10.99.1.2"));

  Site without_memory;
  EXPECT_EQ(plan_of(without_memory, wanted), nothing);
}

TEST_F(WireGuardTest, TheEndpointOfAPeerThatWasNeverHeardIsRepaired) {
  Site site;
  wanted.peers.push_back({KeyPair().open, "192.0.2.9:1", {}});
  site.apply(wanted.spec());
  must_run({"wg", "set", "wg0", "peer", wanted.peers[2].key, "endpoint", "192.0.2.9:2"});
  EXPECT_THAT(plan_of(site, wanted), HasSubstr("192.0.2.9:2 -> 192.0.2.9:1  (drifted)"));
  site.apply(wanted.spec());
}

TEST_F(WireGuardTest, KeysAreRotated) {
  Site site;
  site.apply(wanted.spec());
  ASSERT_TRUE(answers("10.99.1.2"));
  const KeyPair fresh;
  const std::string preshared = KeyPair().secret;
  wanted.secret = fresh.secret;
  wanted.peers[0].preshared = preshared;
  far->run({"wg", "set", "far1", "peer", ours->open, "remove"});
  far->run({"wg", "set", "far1", "peer", fresh.open, "preshared-key", standard_input, "allowed-ips",
            "10.99.1.1/32"},
           preshared);
  site.apply(wanted.spec());
  EXPECT_EQ(first_line(must_run({"wg", "show", "wg0", "public-key"})), fresh.open);
  EXPECT_TRUE(answers("10.99.1.2"));
  EXPECT_FALSE(run({"ping", "-n", "-q", "-c", "1", "-W", "1", "10.99.2.2"}).status == 0)
      << "the other peer does not know the new key";
}

TEST_F(WireGuardTest, EveryDriftIsRepaired) {
  Site site;
  wanted.more += R"(, "fwmark": "0x10")";
  wanted.peers[0].keepalive = 20;
  wanted.peers[0].preshared = KeyPair().secret;
  site.apply(wanted.spec());
  const std::string config = must_run({"wg", "showconf", "wg0"});
  const std::string stranger = KeyPair().open;
  const std::vector<std::vector<std::string>> drifts{
      {"wg", "set", "wg0", "listen-port", "4000"},
      {"wg", "set", "wg0", "fwmark", "0"},
      {"wg", "set", "wg0", "private-key", standard_input},
      {"wg", "set", "wg0", "peer", peer2->open, "remove"},
      {"wg", "set", "wg0", "peer", stranger, "allowed-ips", "10.99.1.0/24,10.9.0.0/16"},
      {"wg", "set", "wg0", "peer", peer1->open, "allowed-ips", "10.99.1.0/25,10.99.2.0/24"},
      {"wg", "set", "wg0", "peer", peer1->open, "persistent-keepalive", "off"},
      {"wg", "set", "wg0", "peer", peer1->open, "preshared-key", "/dev/null"},
      {"wg", "set", "wg0", "peer", peer2->open, "preshared-key", standard_input},
      {"ip", "link", "set", "wg0", "down"},
      {"ip", "link", "set", "wg0", "mtu", "1300"},
      {"ip", "link", "del", "wg0"},
  };
  for (const auto& drift : drifts) {
    SCOPED_TRACE(::testing::PrintToString(drift));
    must_run(drift, KeyPair().secret);
    // An MTU that the spec does not give is not managed.
    const bool managed = drift.back() != "1300";
    EXPECT_EQ(plan_of(site, wanted) != nothing, managed);
    site.apply(wanted.spec());
    EXPECT_EQ(sorted_lines(must_run({"wg", "showconf", "wg0"})), sorted_lines(config));
  }
  EXPECT_FALSE(answers("10.99.1.2")) << "the other side has no preshared key";
  EXPECT_TRUE(answers("10.99.2.2"));
}

TEST_F(WireGuardTest, AFailureAtAnyChangeLeavesWhatWasBefore) {
  Site site;
  site.apply(wanted.spec());
  const auto look = [] {
    return sorted_lines(must_run({"wg", "showconf", "wg0"}) + ip("address show dev wg0"));
  };
  const auto before = look();
  Tunnel changed = wanted;
  changed.secret = KeyPair().secret;
  changed.peers[0].allowed = {"10.99.2.0/24"};
  changed.peers.pop_back();
  std::string spec = changed.spec();
  spec.replace(spec.find("10.99.2.1/24"), 12, "10.99.3.1/24");
  for (std::size_t fail_at = 0;; ++fail_at) {
    SCOPED_TRACE(fail_at);
    const engine::Prepared prepared = site.prepare(spec);
    FailingHost host(site.host(), fail_at);
    const engine::Outcome outcome = site.carry_out(prepared, &host);
    if (host.changes() <= fail_at) {
      EXPECT_EQ(outcome.result, engine::Result::applied);
      EXPECT_GT(fail_at, 2U);
      break;
    }
    EXPECT_EQ(outcome.result, engine::Result::rolled_back);
    EXPECT_EQ(look(), before);
  }
}

TEST_F(WireGuardTest, MoreThanFitsOneMessageIsSentAndReadInParts) {
  Site site;
  for (int i = 0; i < 3000; ++i) {
    const std::string number = std::to_string(i / 250) + "." + std::to_string(i % 250);
    wanted.peers[0].allowed.push_back("10.20." + number + "/32");
    wanted.peers[1].allowed.push_back("fd00::" + std::to_string(i % 10) + ":" +
                                      std::to_string(i / 10) + "/128");
  }
  site.apply(wanted.spec());
  EXPECT_EQ(plan_of(site, wanted), nothing);
  wanted.peers[0].allowed.swap(wanted.peers[1].allowed);
  site.apply(wanted.spec());
}

TEST_F(WireGuardTest, AForeignTunnelIsLeftAlone) {
  ip("link add wg0 type wireguard");
  must_run({"wg", "set", "wg0", "private-key", standard_input, "peer", peer1->open}, ours->secret);
  const std::string before = must_run({"wg", "showconf", "wg0"});
  Site site;
  const engine::Prepared prepared = site.prepare(wanted.spec());
  EXPECT_FALSE(prepared.plan.refusals.empty());
  EXPECT_EQ(site.carry_out(prepared).result, engine::Result::refused);
  site.apply(R"({"version": 1, "routes": [{"to": "10.6.0.0/16", "type": "blackhole"}]})");
  EXPECT_EQ(must_run({"wg", "showconf", "wg0"}), before);
}

}  // namespace
}  // namespace plumbline::test
