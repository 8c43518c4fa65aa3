// A WireGuard device as the spec writes it.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "plumbline/base/number.hpp"
#include "plumbline/kinds/wireguard.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

using wire::Entry;

constexpr Code code = Code::invalid_wireguard_config;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The messages never say what was there instead: it may be most of a key.
std::optional<SecretKey> secret_in(const Entry& entry, std::string_view text) {
  auto key = SecretKey::parse(text);
  if (!key) {
    entry.error(code, "expected a key: 32 bytes in base64, 44 characters");
  } else if (key->is_zero()) {
    entry.error(code, "a key of zeros is none");
    return std::nullopt;
  }
  return key;
}

/// `name` holds the key itself, `name`File the path to it.
std::optional<SecretKey> secret_of(const Entry& entry, const std::string& name,
                                   const WireGuard::ReadKeyFile& read) {
  const auto given = entry.find(name);
  const auto file = entry.find(name + "File");
  if (given && file) {
    file->error(code, "either '" + name + "' or '" + name + "File', not both");
    return std::nullopt;
  }
  if (given) {
    given->warning(Code::exposed_key, "a secret key is in the spec itself: '" + name +
                                          "File' keeps it in a file of its own");
    const auto text = given->string();
    return text ? secret_in(*given, *text) : std::nullopt;
  }
  if (!file) return std::nullopt;
  const auto text = read(*file);
  return text ? secret_in(*file, without_blanks(*text)) : std::nullopt;
}

std::uint32_t mark_in(const Entry& entry) {
  if (entry.node().get<std::string>() == nullptr) {
    return static_cast<std::uint32_t>(entry.integer(0, UINT32_MAX).value_or(0));
  }
  const auto text = entry.string();
  const auto number = text ? parse_number<std::uint32_t>(*text) : std::nullopt;
  if (text && !number) entry.error(code, "expected a number such as 0xca6c, not '" + *text + "'");
  return number.value_or(0);
}

std::optional<WireGuardPeer> peer_of(const Entry& entry, const WireGuard::ReadKeyFile& read) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"endpoint", "allowedIps", "persistentKeepalive", "presharedKey", "presharedKeyFile"});
  const auto key = PublicKey::parse(entry.key());
  if (!key || key->is_zero()) {
    entry.error(code, "a peer is named by its public key: 32 bytes in base64, 44 characters");
  }
  WireGuardPeer peer;
  peer.preshared_key = secret_of(entry, "presharedKey", read);
  peer.endpoint = entry.parsed<Endpoint>(
      "endpoint", code, "an address and a port as 192.0.2.1:51820 or [2001:db8::1]:51820");
  peer.keepalive =
      entry.integer<std::uint16_t>("persistentKeepalive", 0, UINT16_MAX).value_or(std::uint16_t{0});
  if (const auto allowed = entry.find("allowedIps")) {
    allowed->for_each_element([&](const Entry& element) {
      if (const auto prefix = detail::prefix_word(element, code))
        peer.allowed_ips.push_back(*prefix);
    });
  }
  if (!key) return std::nullopt;
  peer.public_key = *key;
  return peer;
}

}  // namespace

std::optional<WireGuard> WireGuard::from_spec(const Entry& entry, const IfName& name,
                                              const ReadKeyFile& read) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"privateKey", "privateKeyFile", "listenPort", "fwmark", "peers"});
  WireGuard device;
  device.name = name;
  if (!entry.has("privateKey") && !entry.has("privateKeyFile")) {
    static_cast<void>(entry.require("privateKeyFile"));
  }
  if (const auto key = secret_of(entry, "privateKey", read)) device.private_key = key->clamped();
  device.listen_port = entry.integer<std::uint16_t>("listenPort", 0, UINT16_MAX);
  if (device.listen_port == 0) device.listen_port.reset();
  if (const auto mark = entry.find("fwmark")) device.fwmark = mark_in(*mark);
  if (const auto peers = entry.find("peers")) {
    peers->for_each_member([&](const Entry& member) {
      if (auto peer = peer_of(member, read)) device.peers.push_back(*std::move(peer));
    });
  }
  if (!device.private_key) return std::nullopt;
  if (const std::string fault = settle(device); !fault.empty()) entry.error(code, fault);
  return device;
}

// ---- the way back -------------------------------------------------------------------------------

namespace {

boost::json::object to_spec(const WireGuardPeer& peer) {
  boost::json::object object;
  if (peer.preshared_key) object["presharedKey"] = format(*peer.preshared_key);
  if (peer.endpoint) object["endpoint"] = format(*peer.endpoint);
  boost::json::array allowed;
  for (const Prefix& prefix : peer.allowed_ips) allowed.emplace_back(format(prefix));
  object["allowedIps"] = std::move(allowed);
  if (peer.keepalive != 0) object["persistentKeepalive"] = peer.keepalive;
  return object;
}

}  // namespace

boost::json::value to_spec(const WireGuard& device) {
  boost::json::object object;
  if (device.private_key) {
    object["privateKey"] = format(*device.private_key);
    object["publicKey"] = format(public_key_of(*device.private_key));
  }
  if (device.listen_port) object["listenPort"] = *device.listen_port;
  if (device.fwmark != 0) object["fwmark"] = detail::hex(device.fwmark);
  boost::json::object peers;
  for (const WireGuardPeer& peer : device.peers) {
    peers[format(peer.public_key)] = to_spec(peer);
  }
  object["peers"] = std::move(peers);
  return object;
}

}  // namespace plumbline
