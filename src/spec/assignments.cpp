#include "plumbline/spec/assignments.hpp"

#include <algorithm>
#include <cstdint>

#include "plumbline/base/sha256.hpp"

namespace plumbline::spec {

namespace {

/// What names of a guest's interface are made from when the reference's are taken. Ids have no `/`.
std::string seed(std::string_view vm, std::string_view interface, unsigned attempt) {
  return std::string(vm) + "/" + std::string(interface) + "#" + std::to_string(attempt);
}

/// A locally administered unicast address.
Mac local_mac(std::uint32_t low, std::uint8_t last) {
  const std::array<std::byte, 6> bytes{std::byte{2},
                                       std::byte(low & 255U),
                                       std::byte(low >> 8U & 255U),
                                       std::byte(low >> 16U & 255U),
                                       std::byte(low >> 24U),
                                       std::byte(last)};
  return *Mac::from_bytes(bytes);
}

Mac hashed_mac(std::string_view text) {
  const Sha256 hash = sha256(text);
  const auto low = std::uint32_t{hash[0]} | std::uint32_t{hash[1]} << 8U |
                   std::uint32_t{hash[2]} << 16U | std::uint32_t{hash[3]} << 24U;
  return local_mac(low, hash[4]);
}

}  // namespace

Mac guest_mac(std::string_view vm, std::string_view interface, unsigned attempt) {
  if (attempt > 0) return hashed_mac(seed(vm, interface, attempt));
  std::uint32_t hash = 0;
  for (const std::string_view part : {vm, std::string_view(":"), interface}) {
    for (const char c : part) hash = hash * 31U + static_cast<unsigned char>(c);
  }
  if (hash > INT32_MAX) hash = 0U - hash;  // the reference takes it as signed, and its amount
  return local_mac(hash, static_cast<std::uint8_t>((hash >> 4U ^ hash >> 12U) & 255U));
}

IfName tap_name(std::string_view vm, std::string_view interface, unsigned attempt) {
  constexpr std::size_t digits = 10;
  if (attempt > 0) return *IfName::parse("sv" + sha256_hex(seed(vm, interface, attempt), digits));
  std::string id(vm);
  std::erase(id, '-');
  const std::string name = "sv" + id.substr(0, 4) + std::string(interface.substr(0, 6));
  return IfName::parse(name).value_or(IfName());
}

std::string chain_name(const IfName& bridge, const Prefix& subnet) {
  constexpr std::size_t digits = 10;
  return "PLUMB-" + sha256_hex(format(bridge) + ":" + format(subnet), digits);
}

Mac bridge_mac(const Network& network) {
  return network.mac ? network.mac->value : hashed_mac("bridge " + format(network.bridge));
}

Mac mac_of_bridge(const AssignedNetwork& network) {
  return network.kept_mac.value_or(bridge_mac(network.network));
}

std::string format(const Assignment& assignment) {
  return format(assignment.network) + "/" + assignment.vm + "/" + assignment.interface + "," +
         format(assignment.ip) + "," + format(assignment.mac) + "," + assignment.guest_interface;
}

std::optional<Assignment> parse_assignment(std::string_view text, const IfName& tap) {
  const auto word = [&](char end) {
    const auto at = std::min(text.find(end), text.size());
    const std::string_view found = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return found;
  };
  const auto network = IfName::parse(word('/'));
  const std::string_view vm = word('/');
  const std::string_view interface = word(',');
  const auto ip = InterfaceAddress::parse(word(','));
  const auto mac = Mac::parse(word(','));
  const auto guest_interface = IfName::parse(text);
  if (!network || vm.empty() || interface.empty() || !ip || !mac || !guest_interface) {
    return std::nullopt;
  }
  if (ip->address.family() != Family::inet) return std::nullopt;
  return Assignment{*network, std::string(vm),         std::string(interface), tap, *ip,
                    *mac,     format(*guest_interface)};
}

Assignment assignment_of(const AssignedNetwork& network, const AssignedInterface& interface) {
  return {network.network.bridge,
          interface.vm,
          interface.interface,
          interface.tap,
          {interface.ip, network.network.subnet.length()},
          interface.mac,
          interface.guest_interface};
}

std::vector<Assignment> assignments_of(const std::vector<AssignedNetwork>& networks) {
  std::vector<Assignment> assignments;
  for (const AssignedNetwork& network : networks) {
    for (const AssignedInterface& interface : network.interfaces) {
      assignments.push_back(assignment_of(network, interface));
    }
  }
  std::ranges::sort(assignments);
  return assignments;
}

std::string boot_args(const Assignment& assignment) {
  const Prefix subnet = assignment.ip.network();
  return "ip=" + format(assignment.ip.address) + "::" + format(gateway_of(subnet)) + ":" +
         format(netmask_of(subnet)) + "::" + assignment.guest_interface + ":off";
}

}  // namespace plumbline::spec
