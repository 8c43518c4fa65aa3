#include "guests.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

namespace plumbline::report {

namespace json = boost::json;
using spec::Assignment;

namespace {

/// `eth2` before `eth10`, so that as many as can be have the name of their position.
bool comes_before(const Assignment* a, const Assignment* b) {
  const auto rank = [](const Assignment* guest) {
    return std::pair(guest->guest_interface.size(), guest->guest_interface);
  };
  return rank(a) < rank(b);
}

json::object interfaces_spec(std::vector<const Assignment*> interfaces) {
  std::ranges::sort(interfaces, comes_before);
  json::object members;
  for (const Assignment* guest : interfaces) {
    json::object member{
        {"ip", format(guest->ip.address)}, {"mac", format(guest->mac)}, {"tap", guest->tap.view()}};
    if (guest->guest_interface != "eth" + std::to_string(members.size())) {
      member["guestInterface"] = guest->guest_interface;
    }
    members[guest->interface] = std::move(member);
  }
  return members;
}

}  // namespace

json::object spec_of(const std::vector<Assignment>& guests) {
  std::map<IfName, std::map<std::string, std::vector<const Assignment*>>> vms;
  for (const Assignment& guest : guests) vms[guest.network][guest.vm].push_back(&guest);
  json::object networks;
  for (const auto& [network, members] : vms) {
    json::object vms_of_it;
    for (const auto& [vm, interfaces] : members) {
      vms_of_it[vm] = {{"interfaces", interfaces_spec(interfaces)}};
    }
    networks[network.view()] = {{"vms", std::move(vms_of_it)}};
  }
  return {{"version", 1}, {"networks", std::move(networks)}};
}

}  // namespace plumbline::report
