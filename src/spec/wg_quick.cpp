#include "wg_quick.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "plumbline/base/number.hpp"
#include "plumbline/kinds/link.hpp"

namespace plumbline::spec {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Blanks of ASCII, the no-break space, and the mark that some editors start a file with.
std::string_view trimmed(std::string_view text) {
  constexpr std::array<std::string_view, 7> blanks{" ", "\t", "\r", "\v", "\f", "\u00a0", "\ufeff"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view blank : blanks) {
      if (text.starts_with(blank)) {
        text.remove_prefix(blank.size());
        again = true;
      } else if (text.ends_with(blank)) {
        text.remove_suffix(blank.size());
        again = true;
      }
    }
  }
  return text;
}

std::vector<std::string_view> list_of(std::string_view text) {
  std::vector<std::string_view> items;
  while (true) {
    const auto comma = text.find(',');
    if (const auto item = trimmed(text.substr(0, comma)); !item.empty()) items.push_back(item);
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

/// An address with a length, or alone for the whole of it.
std::optional<InterfaceAddress> address_in(std::string_view text) {
  if (auto address = InterfaceAddress::parse(text)) return address;
  const auto alone = IpAddress::parse(text);
  if (!alone) return std::nullopt;
  return InterfaceAddress{*alone, static_cast<std::uint8_t>(alone->bytes().size() * 8)};
}

/// `off` is 0.
template <class T>
std::optional<T> number_or_off(std::string_view text) {
  return lower(text) == "off" ? std::optional<T>(T{0}) : parse_number<T>(text);
}

class Reader {
 public:
  Reader(const TunnelText& text, const std::string& pointer, Diagnostics& diagnostics)
      : text_(&text),
        file_(text.path.empty() ? nullptr : std::make_shared<const std::string>(text.path)),
        pointer_(&pointer),
        diagnostics_(&diagnostics),
        errors_before_(diagnostics.errors.size() + diagnostics.more_errors) {}

  std::optional<TunnelConfig> read();

 private:
  enum class Section : std::uint8_t { none, interface, peer };

  void read_line(std::string_view line);
  void read_section(std::string_view name);
  void read_interface(const std::string& field, std::string_view value);
  void read_peer(const std::string& field, std::string_view value);
  void read_addresses(std::string_view value);
  void read_allowed_ips(std::string_view value);
  void finish_peer();
  void check();

  void say(bool is_error, Code code, const std::string& words) const;
  void fault(const std::string& words) const { say(true, Code::invalid_wireguard_config, words); }
  void unsupported(const std::string& field, const char* section) const;
  /// Takes `value` over when there is one, else says what was expected.
  template <class Target, class Value>
  void set(Target& target, const std::optional<Value>& value, const char* expected) const {
    if (value) {
      target = *value;
    } else {
      fault(std::string("expected ") + expected);
    }
  }
  void set_key(std::optional<SecretKey>& target, std::string_view value) const;

  const TunnelText* text_;
  std::shared_ptr<const std::string> file_;
  const std::string* pointer_;
  Diagnostics* diagnostics_;
  std::size_t errors_before_;

  std::uint32_t line_ = 0;  ///< 0: about the whole text
  Section section_ = Section::none;
  bool peer_has_key_ = true;
  TunnelConfig config_;
};

void Reader::say(bool is_error, Code code, const std::string& words) const {
  Origin origin = text_->origin;
  std::string where;
  if (file_ != nullptr) {
    origin = {file_, std::max(line_, 1U), 1};
  } else if (line_ != 0) {
    where = "line " + std::to_string(line_) + ": ";
  }
  if (is_error) {
    diagnostics_->error(code, where + words, std::move(origin), *pointer_);
  } else {
    diagnostics_->warning(code, where + words, std::move(origin), *pointer_);
  }
}

std::optional<TunnelConfig> Reader::read() {
  std::string_view rest = text_->text;
  while (!rest.empty()) {
    ++line_;
    const auto end = std::min(rest.find('\n'), rest.size());
    read_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  finish_peer();
  line_ = 0;
  check();
  if (diagnostics_->errors.size() + diagnostics_->more_errors != errors_before_) {
    return std::nullopt;
  }
  return std::move(config_);
}

void Reader::read_line(std::string_view line) {
  line = trimmed(line.substr(0, line.find_first_of("#;")));
  if (line.empty()) return;
  if (line.starts_with('[')) return read_section(line);
  const auto equals = line.find('=');
  const std::string field = lower(trimmed(line.substr(0, equals)));
  const std::string_view value =
      equals == std::string_view::npos ? "" : trimmed(line.substr(equals + 1));
  if (section_ == Section::none || field.empty() || value.empty()) {
    return fault("expected a section, [Interface] or [Peer], or 'Field = value' within one");
  }
  constexpr std::array<std::string_view, 5> commands{"preup", "postup", "predown", "postdown",
                                                     "saveconfig"};
  if (std::ranges::find(commands, field) != commands.end()) {
    return fault("'" + field + "' is refused: it runs commands or changes files");
  }
  if (section_ == Section::interface) {
    read_interface(field, value);
  } else {
    read_peer(field, value);
  }
}

void Reader::read_section(std::string_view name) {
  const std::string section = lower(name);
  finish_peer();
  if (section == "[interface]") {
    section_ = Section::interface;
  } else if (section == "[peer]") {
    section_ = Section::peer;
    config_.device.peers.emplace_back();
    peer_has_key_ = false;
  } else {
    fault("the only sections are [Interface] and [Peer]");
  }
}

void Reader::finish_peer() {
  if (!peer_has_key_) fault("a [Peer] without a PublicKey ends here");
  peer_has_key_ = true;
}

/// A field is only named when it can be no key.
void Reader::unsupported(const std::string& field, const char* section) const {
  const bool is_word =
      field.size() <= 24 && std::ranges::all_of(field, [](char c) { return c >= 'a' && c <= 'z'; });
  fault((is_word ? "'" + field + "'" : std::string("this")) + " is no field of " + section);
}

void Reader::set_key(std::optional<SecretKey>& target, std::string_view value) const {
  auto key = SecretKey::parse(value);
  if (key && key->is_zero()) key.reset();
  set(target, key, "a key: 32 bytes in base64, 44 characters, not all zeros");
}

void Reader::read_interface(const std::string& field, std::string_view value) {
  WireGuard& device = config_.device;
  if (field == "privatekey") {
    set_key(device.private_key, value);
    if (device.private_key) device.private_key = device.private_key->clamped();
  } else if (field == "address") {
    read_addresses(value);
  } else if (field == "listenport") {
    set(device.listen_port, parse_number<std::uint16_t>(value), "a port from 0 to 65535");
    if (device.listen_port == 0) device.listen_port.reset();
  } else if (field == "fwmark") {
    set(device.fwmark, number_or_off<std::uint32_t>(value), "a number such as 0xca6c, or off");
  } else if (field == "mtu") {
    auto mtu = parse_number<std::uint32_t>(value);
    if (mtu && (value.starts_with("0") || *mtu < 576 || *mtu > 9000)) mtu.reset();
    set(config_.mtu, mtu, "an MTU from 576 to 9000");
  } else if (field == "dns" || field == "table") {
    say(false, Code::ignored_setting,
        field == "dns" ? "'DNS' is ignored: names are not ours to look after"
                       : "'Table' is ignored: routes are given elsewhere in the spec");
  } else {
    unsupported(field, "[Interface]");
  }
}

void Reader::read_peer(const std::string& field, std::string_view value) {
  WireGuardPeer& peer = config_.device.peers.back();
  if (field == "publickey") {
    peer_has_key_ = true;
    auto key = PublicKey::parse(value);
    if (key && key->is_zero()) key.reset();
    set(peer.public_key, key, "a public key: 32 bytes in base64, 44 characters");
  } else if (field == "presharedkey") {
    set_key(peer.preshared_key, value);
  } else if (field == "allowedips") {
    read_allowed_ips(value);
  } else if (field == "endpoint") {
    set(peer.endpoint, Endpoint::parse(value),
        "an address and a port as 192.0.2.1:51820 or [2001:db8::1]:51820; names are not looked up");
  } else if (field == "persistentkeepalive") {
    set(peer.keepalive, number_or_off<std::uint16_t>(value), "seconds from 0 to 65535, or off");
  } else {
    unsupported(field, "[Peer]");
  }
}

void Reader::read_addresses(std::string_view value) {
  for (const std::string_view item : list_of(value)) {
    const auto address = address_in(item);
    if (!address) {
      fault("expected an address as 10.8.0.2/32 or fd00::2/64");
    } else if (std::ranges::find(config_.addresses, *address) != config_.addresses.end()) {
      fault("this address is given twice");
    } else {
      config_.addresses.push_back(*address);
    }
  }
}

void Reader::read_allowed_ips(std::string_view value) {
  const auto items = list_of(value);
  if (items.empty()) fault("AllowedIPs must not be empty");
  for (const std::string_view item : items) {
    const auto address = address_in(item);
    if (!address) fault("expected an address or a network as 10.0.0.0/8 or fd00::/8");
    if (address) config_.device.peers.back().allowed_ips.push_back(address->network());
  }
}

void Reader::check() {
  if (!config_.device.private_key) fault("[Interface] needs a PrivateKey");
  const auto is_ipv6 = [](const InterfaceAddress& address) {
    return address.address.family() == Family::inet6;
  };
  if (std::ranges::all_of(config_.addresses, is_ipv6)) {
    fault("[Interface] needs at least one Address of IPv4");
  }
  if (config_.mtu.value_or(least_ipv6_mtu) < least_ipv6_mtu &&
      std::ranges::any_of(config_.addresses, is_ipv6)) {
    fault("IPv6 needs an MTU of at least " + std::to_string(least_ipv6_mtu));
  }
  if (const std::string words = settle(config_.device); !words.empty()) fault(words);
}

}  // namespace

std::optional<TunnelConfig> read_wg_quick(const TunnelText& text, const std::string& pointer,
                                          Diagnostics& diagnostics) {
  return Reader(text, pointer, diagnostics).read();
}

}  // namespace plumbline::spec
