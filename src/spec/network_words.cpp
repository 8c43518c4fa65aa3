#include "network_words.hpp"

#include <algorithm>

namespace plumbline::spec {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_id_letter(char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

std::optional<IfName> network_link_name(const wire::Entry& entry, std::string_view text) {
  const auto name = IfName::parse(text);
  if (name && may_be_configured(*name) && is_alphanumeric(text[0]) &&
      std::ranges::all_of(text, is_id_letter)) {
    return name;
  }
  entry.error(Code::invalid_interface_name,
              "'" + std::string(text) +
                  "' cannot be the name of an interface here: 1 to 15 letters, digits, '.', '_' "
                  "and '-', the first a letter or a digit, and not 'all' or 'default'");
  return std::nullopt;
}

std::optional<IfName> network_link_word(const wire::Entry& entry) {
  if (const auto* const text = entry.node().get<std::string>()) {
    return network_link_name(entry, *text);
  }
  entry.error(Code::invalid_interface_name, "the name of an interface is text");
  return std::nullopt;
}

std::optional<Prefix> masked_ipv4(std::string_view text) {
  std::optional<Prefix> prefix;
  if (const auto address = IpAddress::parse(text)) {
    prefix = Prefix::masking(*address, address_bits(address->family()));
  } else if (const auto inside = InterfaceAddress::parse(text)) {
    prefix = inside->network();
  }
  if (prefix && prefix->family() != Family::inet) return std::nullopt;
  return prefix;
}

std::optional<Given<Mac>> given_mac(const wire::Entry& interface) {
  const auto entry = interface.find("mac");
  if (!entry) return std::nullopt;
  const auto mac = entry->parsed<Mac>(Code::invalid_network, "a MAC address as 02:00:00:00:00:01");
  if (!mac) return std::nullopt;
  if (mac->is_multicast() || mac->is_zero()) {
    entry->error(Code::invalid_network, "no interface can have the MAC address " + format(*mac));
    return std::nullopt;
  }
  return Given<Mac>{*mac, entry->origin()};
}

}  // namespace plumbline::spec
