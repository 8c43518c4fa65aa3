#include "guests.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "plumbline/base/diagnostics.hpp"

namespace plumbline::cli {

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

json::array guests_json(const std::vector<Assignment>& guests) {
  json::array rows;
  for (const Assignment& guest : guests) {
    const Prefix subnet = guest.ip.network();
    rows.push_back(json::object{{"network", guest.network.view()},
                                {"vm", guest.vm},
                                {"interface", guest.interface},
                                {"tap", guest.tap.view()},
                                {"ip", format(guest.ip.address)},
                                {"gateway", format(spec::gateway_of(subnet))},
                                {"netmask", format(spec::netmask_of(subnet))},
                                {"mac", format(guest.mac)},
                                {"bootArgs", spec::boot_args(guest)}});
  }
  return rows;
}

std::string guests_text(const std::vector<Assignment>& guests) {
  using Row = std::array<std::string, 7>;
  std::vector<Row> rows{{"NETWORK", "VM", "INTERFACE", "TAP", "IP", "MAC", "KERNEL ARGUMENT"}};
  for (const Assignment& guest : guests) {
    rows.push_back({format(guest.network), printable(guest.vm), printable(guest.interface),
                    format(guest.tap), format(guest.ip), format(guest.mac),
                    spec::boot_args(guest)});
  }
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      widths.at(i) = std::max(widths.at(i), row.at(i).size() + 2);
    }
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row.at(i);
      if (i + 1 < row.size()) text.append(widths.at(i) - row.at(i).size(), ' ');
    }
    text += '\n';
  }
  return text;
}

json::object guests_spec(const std::vector<Assignment>& guests) {
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

}  // namespace plumbline::cli
