// A tunnel as a value: from the spec, and what is said to the kernel to make another of it.

#include "plumbline/kinds/wireguard.hpp"

#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "plumbline/wire/wireguard.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {
namespace {

using test::SpecText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
// In this order.
const std::string key_a = "AxTIA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string key_b = "BxTIA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

std::optional<std::string> key_file(const wire::Entry& path) {
  const auto name = path.string();
  return name == "wg0.key" ? std::optional(secret + "\n") : std::nullopt;
}

std::optional<WireGuard> from(SpecText& text) {
  return WireGuard::from_spec(text.entry(), *IfName::parse("wg0"), key_file);
}

WireGuard good(const std::string& members) {
  SpecText text(R"({"privateKeyFile": "wg0.key", )" + members + "}");
  const auto device = from(text);
  EXPECT_THAT(text.faults(), IsEmpty()) << members;
  return with_mark(device.value(), Mark{});
}

WireGuard with_peers(const std::string& peers) { return good("\"peers\": {" + peers + "}"); }

std::string peer(const std::string& key, const std::string& members) {
  return "\"" + key + "\": {" + members + "}";
}

TEST(WireGuard, IsReadFromTheSpec) {
  const WireGuard device = good(
      R"("listenPort": 51820, "fwmark": "0xca6c", "peers": {)" +
      peer(key_b,
           R"("endpoint": "198.51.100.7:51820", "allowedIps": ["::/0", "10.0.0.0/8", "10.0.0.0/8"],
                     "persistentKeepalive": 25, "presharedKeyFile": "wg0.key")") +
      ", " + peer(key_a, "") + "}");
  EXPECT_EQ(device.private_key, SecretKey::parse(secret)->clamped());
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_EQ(device.fwmark, 0xca6cU);
  ASSERT_EQ(device.peers.size(), 2U);
  EXPECT_EQ(format(device.peers[0].public_key), key_a);
  EXPECT_EQ(device.peers[1].preshared_key, SecretKey::parse(secret));
  const std::string shown = boost::json::serialize(to_spec(device));
  EXPECT_THAT(shown, HasSubstr("\"allowedIps\":[\"10.0.0.0/8\",\"::/0\"]"));
  EXPECT_THAT(shown, HasSubstr(format(public_key_of(*SecretKey::parse(secret)))));
  EXPECT_THAT(shown, Not(HasSubstr(secret.substr(0, 10))));
}

struct Fault {
  std::string members;
  std::string fault;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.fault; }

class WireGuardFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(WireGuardFaults, AreReportedAtTheirPlaceWithoutTheKey) {
  SpecText text("{" + GetParam().members + "}");
  static_cast<void>(from(text));
  EXPECT_THAT(text.faults(), ElementsAre(GetParam().fault)) << GetParam().members;
  for (const Diagnostic& error : text.errors()) {
    EXPECT_THAT(error.message, Not(HasSubstr(secret.substr(0, 10))));
  }
}

const std::string own = R"("privateKeyFile": "wg0.key", )";
std::string of_peer(const std::string& members) {
  return own + "\"peers\": {" + peer(key_a, members) + "}";
}
const std::string at_peer = "/peers/AxTIA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

INSTANTIATE_TEST_SUITE_P(
    Texts, WireGuardFaults,
    ::testing::Values(Fault{"", "MISSING_KEY "},
                      Fault{R"("privateKey": "x")", "INVALID_WIREGUARD_CONFIG /privateKey"},
                      Fault{"\"privateKey\": \"" + secret.substr(0, 43) + "\"",
                            "INVALID_WIREGUARD_CONFIG /privateKey"},
                      Fault{R"("privateKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")",
                            "INVALID_WIREGUARD_CONFIG /privateKey"},
                      Fault{"\"privateKeyFile\": \"wg0.key\", \"privateKey\": \"" + secret + "\"",
                            "INVALID_WIREGUARD_CONFIG /privateKeyFile"},
                      Fault{own + R"("listenPort": 65536)", "OUT_OF_RANGE /listenPort"},
                      Fault{own + R"("fwmark": "x")", "INVALID_WIREGUARD_CONFIG /fwmark"},
                      Fault{own + R"("address": [])", "UNKNOWN_KEY /address"},
                      Fault{own + R"("peers": [])", "WRONG_TYPE /peers"},
                      Fault{own + R"("peers": {"x": {}})", "INVALID_WIREGUARD_CONFIG /peers/x"},
                      Fault{of_peer(R"("endpoint": "vpn.example.org:1")"),
                            "INVALID_WIREGUARD_CONFIG " + at_peer + "/endpoint"},
                      Fault{of_peer(R"("allowedIps": ["10.0.0.1/8"])"),
                            "INVALID_WIREGUARD_CONFIG " + at_peer + "/allowedIps/0"},
                      Fault{of_peer(R"("persistentKeepalive": -1)"),
                            "OUT_OF_RANGE " + at_peer + "/persistentKeepalive"},
                      Fault{of_peer(R"("presharedKey": "x")"),
                            "INVALID_WIREGUARD_CONFIG " + at_peer + "/presharedKey"},
                      Fault{own + "\"peers\": {" + peer(key_a, R"("allowedIps": ["::/0"])") + ", " +
                                peer(key_b, R"("allowedIps": ["::/0"])") + "}",
                            "INVALID_WIREGUARD_CONFIG "},
                      Fault{own + "\"peers\": {" +
                                peer(format(public_key_of(*SecretKey::parse(secret))), "") + "}",
                            "INVALID_WIREGUARD_CONFIG "}));

// ---- what is said to the kernel -----------------------------------------------------------------

LinkNames links() {
  LinkNames names;
  names.add(7, *IfName::parse("wg0"));
  return names;
}

/// A device as the kernel keeps it, changed by the messages: what an allowed IP is taken from loses
/// it, and `uncovered` notes each that is wanted in the end and once had no peer on the way.
struct Kernel {
  std::map<Prefix, PublicKey> table;
  std::vector<PublicKey> peers;
  std::vector<std::string> said;

  void peer(const wire::Attribute& nest) {
    std::optional<PublicKey> key;
    std::uint32_t flags = 0;
    std::string words;
    std::vector<Prefix> added;
    wire::for_each_attribute(nest.payload(), [&](const wire::Attribute& attribute) {
      if (attribute.type() == WGPEER_A_PUBLIC_KEY) key = PublicKey::from_bytes(attribute.payload());
      if (attribute.type() == WGPEER_A_FLAGS) flags = attribute.u32();
      if (attribute.type() == WGPEER_A_PRESHARED_KEY) words += " preshared";
      if (attribute.type() == WGPEER_A_ENDPOINT) words += " endpoint";
      if (attribute.type() == WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL) words += " keepalive";
      if (attribute.type() != WGPEER_A_ALLOWEDIPS) return;
      wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& entry) {
        std::optional<IpAddress> address;
        std::uint8_t length = 0;
        wire::for_each_attribute(entry.payload(), [&](const wire::Attribute& part) {
          if (part.type() == WGALLOWEDIP_A_IPADDR) address = part.address();
          if (part.type() == WGALLOWEDIP_A_CIDR_MASK) length = part.u8();
        });
        added.push_back(Prefix::masking(address.value(), length));
        words += " " + format(added.back());
      });
    });
    const bool removes = (flags & WGPEER_F_REMOVE_ME) != 0;
    EXPECT_EQ(flags & WGPEER_F_REPLACE_ALLOWEDIPS, 0U) << "which is not one step";
    said.push_back(format(key.value()).substr(0, 2) + (removes ? " goes" : "") + words);
    const auto known = std::ranges::find(peers, *key);
    if (removes) {
      if (known != peers.end()) peers.erase(known);
      std::erase_if(table, [&](const auto& entry) { return entry.second == *key; });
      return;
    }
    if (known == peers.end() && (flags & WGPEER_F_UPDATE_ONLY) != 0) return;
    if (known == peers.end()) peers.push_back(*key);
    for (const Prefix& prefix : added) table[prefix] = *key;
  }

  /// After every peer that is said, `kept` are somebody's.
  void carry_out(const std::vector<wire::Request>& requests, const std::vector<Prefix>& kept = {}) {
    for (const wire::Request& request : requests) {
      const wire::Message message(std::get<wire::GenericChange>(request).message);
      message.attributes<genlmsghdr>([&](const wire::Attribute& attribute) {
        if (attribute.type() == WGDEVICE_A_PRIVATE_KEY) said.push_back("key");
        if (attribute.type() == WGDEVICE_A_LISTEN_PORT) said.push_back("port");
        if (attribute.type() == WGDEVICE_A_FWMARK) said.push_back("mark");
        if (attribute.type() == WGDEVICE_A_FLAGS) said.push_back("replace peers");
        if (attribute.type() != WGDEVICE_A_PEERS) return;
        wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& nest) {
          peer(nest);
          for (const Prefix& prefix : kept) EXPECT_TRUE(table.contains(prefix)) << format(prefix);
        });
      });
    }
  }
};

/// What is said to get from one to the other, in which no allowed IP of both is ever nobody's.
std::vector<std::string> changes(const WireGuard& have, const WireGuard& want) {
  const WireGuard full = complete(want, have);
  Kernel kernel;
  kernel.carry_out(create(have, links()));
  kernel.said.clear();
  std::vector<Prefix> kept;
  std::map<Prefix, PublicKey> wanted;
  for (const WireGuardPeer& each : full.peers) {
    for (const Prefix& prefix : each.allowed_ips) {
      wanted[prefix] = each.public_key;
      if (kernel.table.contains(prefix)) kept.push_back(prefix);
    }
  }
  kernel.carry_out(update(have, full, links()), kept);
  EXPECT_EQ(kernel.table, wanted);
  EXPECT_EQ(kernel.peers.size(), full.peers.size());
  return kernel.said;
}

const std::string two = R"("allowedIps": ["10.0.0.0/8", "10.1.0.0/16"])";
const std::string one = R"("allowedIps": ["10.0.0.0/8"])";

TEST(WireGuard, OnlyWhatChangesIsSaid) {
  const WireGuard device = with_peers(peer(key_a, two) + ", " + peer(key_b, ""));
  EXPECT_THAT(changes(device, device), IsEmpty());
  const WireGuard more = with_peers(
      peer(key_a, two) + ", " + peer(key_b, R"("persistentKeepalive": 5, "allowedIps": ["::/0"])"));
  EXPECT_THAT(changes(device, more), ElementsAre("Bx keepalive ::/0"));
  WireGuard marked = device;
  marked.fwmark = 3;
  EXPECT_THAT(changes(device, marked), ElementsAre("mark"));
  EXPECT_THAT(changes(device, with_peers(peer(key_a, two))), ElementsAre("Bx goes"));
}

TEST(WireGuard, AnAllowedIpThatMovesIsOnlyAdded) {
  const WireGuard before = with_peers(peer(key_a, two) + ", " + peer(key_b, ""));
  const WireGuard moved =
      with_peers(peer(key_a, R"("allowedIps": ["10.1.0.0/16"])") + ", " + peer(key_b, one));
  EXPECT_THAT(changes(before, moved), ElementsAre("Bx 10.0.0.0/8"));
  EXPECT_THAT(changes(moved, before), ElementsAre("Ax 10.0.0.0/8"));
  const WireGuard alone = with_peers(peer(key_b, two));
  EXPECT_THAT(changes(before, alone), ElementsAre("Bx 10.0.0.0/8 10.1.0.0/16", "Ax goes"));
}

TEST(WireGuard, AnAllowedIpThatNobodyHasAnyMoreGoesWithAPeerOfItsOwn) {
  const WireGuard before = with_peers(peer(key_a, two));
  EXPECT_THAT(changes(before, with_peers(peer(key_a, one))),
              ElementsAre("AA 10.1.0.0/16", "AA goes"));
}

TEST(WireGuard, APresharedKeyIsTakenAway) {
  const WireGuard before = with_peers(peer(key_a, R"("presharedKeyFile": "wg0.key")"));
  const WireGuard after = with_peers(peer(key_a, ""));
  EXPECT_THAT(changes(before, after), ElementsAre("Ax preshared"));
  EXPECT_EQ(transition(before, complete(after, before)).disrupts, Disruption::sessions);
}

TEST(WireGuard, AnEndpointThatAPeerWasHeardFromIsItsOwnAffair) {
  const WireGuard want = with_peers(peer(key_a, R"("endpoint": "192.0.2.1:1")"));
  WireGuard have = want;
  have.peers[0].endpoint = Endpoint::parse("192.0.2.2:2");
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::update) << "never heard";
  have.peers[0].heard = true;
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::none);
  WireGuard other = want;
  other.peers[0].endpoint_is_new = true;
  EXPECT_EQ(transition(have, complete(other, have)).change, Change::update);
  EXPECT_THAT(changes(have, other), ElementsAre("Ax endpoint"));
  WireGuard open = want;
  open.peers[0].endpoint.reset();
  EXPECT_EQ(transition(have, complete(open, have)).change, Change::none);
}

TEST(WireGuard, APortThatTheKernelChoseIsLeftToIt) {
  WireGuard have = good("\"listenPort\": 0");
  EXPECT_EQ(have.listen_port, std::nullopt);
  const WireGuard want = have;
  have.listen_port = 40000;
  EXPECT_EQ(complete(want, have), have);
}

TEST(WireGuard, WhatIsDecodedIsWhatWasAskedFor) {
  Scope scope;
  scope.tunnels = {*IfName::parse("wg0")};
  const auto queries = WireGuard::queries(scope);
  ASSERT_EQ(queries.size(), 1U);
  std::vector<WireGuard> devices;
  WireGuard::decode(queries[0], {}, links(), devices);
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(format(key(devices[0])), "wireguard wg0");
  devices.clear();
  WireGuard::decode(queries[0], {ENODEV, {}, {}, {}}, links(), devices);
  EXPECT_THAT(devices, IsEmpty());
  EXPECT_THROW(WireGuard::decode(queries[0], {EPERM, {}, {}, {}}, links(), devices),
               wire::Malformed);
}

}  // namespace
}  // namespace plumbline
