// `vms` of a network: the guests, their interfaces, and what is given of those.

#include <algorithm>
#include <set>

#include "ipv4.hpp"
#include "network_decode.hpp"
#include "network_words.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

void check_id(const Entry& entry, std::string_view what) {
  const std::string_view id = entry.key();
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  constexpr std::size_t longest = 63;
  if (!id.empty() && id.size() <= longest && std::ranges::all_of(id, is_plain)) return;
  entry.error(Code::invalid_network, "the id of " + std::string(what) +
                                         " is 1 to 63 letters, digits, '.', '_' and '-', not '" +
                                         std::string(id) + "'");
}

std::optional<Given<IpAddress>> ip_of(const Entry& interface, const std::optional<Prefix>& subnet) {
  const auto entry = interface.find("ip");
  const auto text = entry ? entry->string() : std::nullopt;
  if (!text) return std::nullopt;
  const auto address = IpAddress::parse(*text);
  if (!address || address->family() != Family::inet) {
    entry->error(Code::invalid_address, "expected an IPv4 address, not '" + *text + "'");
    return std::nullopt;
  }
  if (!subnet) return std::nullopt;
  if (is_guest_address(*subnet, *address)) return Given<IpAddress>{*address, entry->origin()};
  std::string why = "is not in the subnet " + format(*subnet);
  if (*address == gateway_of(*subnet)) {
    why = "is the gateway of " + format(*subnet);
  } else if (subnet->contains(*address)) {
    why = "is no host's address in " + format(*subnet);
  }
  entry->error(Code::invalid_address, "'" + *text + "' " + why);
  return std::nullopt;
}

GuestInterface interface_of(const Entry& entry, std::size_t position,
                            const std::optional<Prefix>& subnet) {
  check_id(entry, "an interface");
  entry.only({"ip", "mac", "tap", "owner", "group", "guestInterface"});
  constexpr std::int64_t last_id = UINT32_MAX - std::int64_t{1};  // the last one means nobody
  GuestInterface interface;
  interface.id = entry.key();
  interface.origin = entry.origin();
  interface.ip = ip_of(entry, subnet);
  interface.mac = given_mac(entry);
  if (const auto tap = entry.find("tap")) {
    if (const auto name = network_link_word(*tap)) interface.tap = {*name, tap->origin()};
  }
  interface.owner = entry.integer<std::uint32_t>("owner", 0, last_id);
  interface.group = entry.integer<std::uint32_t>("group", 0, last_id);
  interface.guest_interface = "eth" + std::to_string(position);
  if (const auto given = entry.find("guestInterface")) {
    if (const auto name = network_link_word(*given)) interface.guest_interface = format(*name);
  }
  return interface;
}

/// A guest that tells two interfaces apart by one name configures one of them twice.
void check_names(const Entry& interfaces, const Guest& guest) {
  std::set<std::string_view> names;
  for (const GuestInterface& interface : guest.interfaces) {
    if (names.insert(interface.guest_interface).second) continue;
    interfaces.find(interface.id)
        ->error(Code::duplicate_identity, "two interfaces of '" + guest.id + "' are '" +
                                              interface.guest_interface + "' in it");
  }
}

Guest guest_of(const Entry& entry, const std::optional<Prefix>& subnet) {
  check_id(entry, "a VM");
  entry.only({"interfaces"});
  Guest guest;
  guest.id = entry.key();
  guest.origin = entry.origin();
  if (const auto interfaces = entry.find("interfaces")) {
    interfaces->for_each_member([&](const Entry& interface) {
      guest.interfaces.push_back(interface_of(interface, guest.interfaces.size(), subnet));
    });
    check_names(*interfaces, guest);
  } else if (entry.node().get<wire::Object>() != nullptr) {
    GuestInterface only;
    only.id = "eth0";
    only.guest_interface = "eth0";
    only.origin = entry.origin();
    guest.interfaces.push_back(std::move(only));
  }
  return guest;
}

}  // namespace

std::vector<Guest> decode_vms(const Entry& entry, const std::optional<Prefix>& subnet) {
  std::vector<Guest> vms;
  entry.for_each_member([&](const Entry& vm) { vms.push_back(guest_of(vm, subnet)); });
  return vms;
}

}  // namespace plumbline::spec
