#include "tests/sim/sysctls.hpp"

#include <linux/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "tests/sim/addresses.hpp"
#include "tests/sim/refusal.hpp"
#include "tests/sim/setting_names.hpp"

namespace plumbline::sim {

namespace {

using Settings = std::map<std::string, std::string>;

/// net/FAMILY/GROUP/LINK/NAME, `LINK` being `all` or `default` too.
struct Place {
  std::string group;  ///< `ipv4/conf`, `ipv6/neigh`, …
  std::string link;
  std::string name;
};

std::optional<Place> place_of(const std::string& path) {
  if (!path.starts_with("net/ipv4/") && !path.starts_with("net/ipv6/")) return std::nullopt;
  const auto end_of_group = path.find('/', 9);
  if (end_of_group == path.npos) return std::nullopt;
  const auto end_of_link = path.find('/', end_of_group + 1);
  if (end_of_link == path.npos) return std::nullopt;
  return Place{path.substr(4, end_of_group - 4),
               path.substr(end_of_group + 1, end_of_link - end_of_group - 1),
               path.substr(end_of_link + 1)};
}

bool is_of_a_link(const Place& place) { return place.link != "all" && place.link != "default"; }

std::string path_of(const std::string& group, std::string_view link, const std::string& name) {
  return "net/" + group + "/" + std::string(link) + "/" + name;
}

[[noreturn]] void refuse(int error, const std::string& path) {
  throw Refusal{error, "/proc/sys/" + path};
}

/// Where it is kept; refuses when it is not there.
std::string& value_of(Namespace& there, const std::string& path) {
  const auto place = place_of(path);
  Settings* settings = &there.settings;
  std::string name = path;
  if (place && is_of_a_link(*place)) {
    for (auto& [index, device] : there.devices) {
      if (device.name != place->link) continue;
      const auto group = device.settings.find(place->group);
      if (group == device.settings.end()) refuse(ENOENT, path);
      settings = &group->second;
    }
    name = place->name;
  }
  const auto found = settings->find(name);
  if (found == settings->end()) refuse(ENOENT, path);
  return found->second;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

/// proc_dointvec(): white space, a sign, a number as in C; what follows white space is for the next
/// one of a list.
std::optional<long long> number_of(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end == text.data() || number < 0) return std::nullopt;
  if (end != text.data() + text.size() && !is_blank(*end)) return std::nullopt;
  return negative ? -number : number;
}

/// What the kernel keeps of a value that was written; refuses what it does not take.
std::string kept(const std::string& path, const std::string& before, const std::string& value) {
  const bool nothing = std::ranges::all_of(value, is_blank);
  if (nothing) return before;
  const auto number = number_of(value);
  const auto place = place_of(path);
  if (!number || *number > INT32_MAX || *number < INT32_MIN) refuse(EINVAL, path);
  if (place) {
    const auto bounds = bounds_of(place->group, place->name);
    if (bounds && (*number < bounds->first || *number > bounds->second)) refuse(EINVAL, path);
  }
  if (const auto bounds = bounds_of(path);
      bounds && (*number < bounds->first || *number > bounds->second)) {
    refuse(EINVAL, path);
  }
  return std::to_string(*number);
}

void write_for_all(Namespace& there, const std::string& group, const std::string& name,
                   const std::string& value) {
  for (auto& [index, device] : there.devices) {
    const auto found = device.settings.find(group);
    if (found != device.settings.end()) found->second[name] = value;
  }
}

/// inet_forward_change() in net/ipv4/devinet.c
void forward_inet(Namespace& there, const std::string& value) {
  const bool on = value != "0";
  there.settings["net/ipv4/conf/all/accept_redirects"] = on ? "0" : "1";
  there.settings["net/ipv4/conf/default/forwarding"] = value;
  write_for_all(there, "ipv4/conf", "forwarding", value);
}

/// addrconf_disable_change() and dev_disable_change() in net/ipv6/addrconf.c
void disable_inet6(Namespace& there, Device& device, bool was_disabled, bool disabled) {
  if (was_disabled == disabled) return;
  if (disabled) {
    inet6_down(there, device);
  } else if (device.is(IFF_UP)) {
    inet6_up(there, device);
  }
}

void disable_inet6_everywhere(Namespace& there, const std::string& value) {
  there.settings["net/ipv6/conf/default/disable_ipv6"] = value;
  std::vector<int> indexes;
  for (const auto& [index, device] : there.devices) indexes.push_back(index);
  for (const int index : indexes) {
    Device& device = there.devices.at(index);
    if (!device.has_inet6) continue;
    std::string& own = device.settings["ipv6/conf"]["disable_ipv6"];
    const bool was = own != "0";
    own = value;
    disable_inet6(there, device, was, value != "0");
  }
}

/// devinet_copy_dflt_conf(): to links where nobody wrote it yet.
void copy_default(Namespace& there, const Place& place, const std::string& value) {
  for (auto& [index, device] : there.devices) {
    const auto group = device.settings.find(place.group);
    if (group == device.settings.end() || device.settled[place.group][place.name]) continue;
    group->second[place.name] = value;
  }
}

void write_along(Namespace& there, const Place& place, const std::string& before,
                 const std::string& value) {
  const bool inet6 = place.group == "ipv6/conf";
  if (place.group == "ipv4/conf" && place.link == "default" && place.name != "forwarding") {
    return copy_default(there, place, value);
  }
  if (inet6 && place.link == "all") {
    if (place.name == "disable_ipv6") return disable_inet6_everywhere(there, value);
    if (place.name == "forwarding" || place.name == "ignore_routes_with_linkdown" ||
        place.name == "addr_gen_mode") {
      there.settings["net/ipv6/conf/default/" + place.name] = value;
      write_for_all(there, place.group, place.name, value);
    }
  }
  if (inet6 && is_of_a_link(place) && place.name == "disable_ipv6") {
    for (auto& [index, device] : there.devices) {
      if (device.name != place.link) continue;
      return disable_inet6(there, device, before != "0", value != "0");
    }
  }
}

/// devinet_conf_proc(): `default` moves what was written no more, be it that of a link or, in new
/// links, its own.
void settle(Namespace& there, const Place& place) {
  if (place.link == "default") there.settled[place.group][place.name] = true;
  for (auto& [index, device] : there.devices) {
    if (device.name == place.link) device.settled[place.group][place.name] = true;
  }
}

}  // namespace

std::string read_setting(const Namespace& there, const std::string& path) {
  return value_of(const_cast<Namespace&>(there), canonical(path));
}

void check_writable(const Namespace& there, const std::string& path) {
  static_cast<void>(read_setting(there, path));
  if (path.ends_with("/mc_forwarding")) refuse(EACCES, path);
}

void write_setting(Namespace& there, const std::string& given, const std::string& value) {
  const std::string path = canonical(given);
  std::string& present = value_of(there, path);
  const auto place = place_of(path);
  if (place) settle(there, *place);  // whatever is written, refused or not
  const std::string before = present;
  try {
    present = kept(path, before, value);
  } catch (const Refusal& refusal) {
    throw Refusal{refusal.error, "/proc/sys/" + given};
  }
  const std::string after = present;
  if (path == "net/ipv4/ip_forward") {
    if (before != after) forward_inet(there, after);
    return;
  }
  if (!place) return;
  write_along(there, *place, before, after);
}

void make_first_settings(Namespace& there) {
  for (const Named& setting : global_settings) {
    there.settings[std::string(setting.name)] = setting.value;
  }
  for (const auto& [group, names] : link_settings()) {
    for (const Named& setting : names) {
      for (const std::string_view link : {"all", "default"}) {
        if (group.ends_with("/neigh") && link == "all") continue;
        there.settings[path_of(group, link, std::string(setting.name))] = setting.value;
      }
    }
  }
}

void make_settings(Namespace& there, Device& device) {
  for (const auto& [group, names] : link_settings()) {
    if (group == "ipv6/conf" && !device.has_inet6) continue;
    if (group == "ipv6/neigh" && !device.has_inet6) continue;
    for (const Named& setting : names) {
      const std::string name(setting.name);
      device.settings[group][name] = there.settings.at(path_of(group, "default", name));
    }
  }
  if (device.has_inet6) device.settings["ipv6/conf"]["mtu"] = std::to_string(device.mtu);
  device.settled = there.settled;
}

void make_inet6_settings(Namespace& there, Device& device) {
  Device fresh = device;
  fresh.settings.clear();
  make_settings(there, fresh);
  for (const std::string group : {"ipv6/conf", "ipv6/neigh"}) {
    device.settings[group] = fresh.settings[group];
    device.settled.erase(group);
  }
}

void drop_inet6_settings(Device& device) {
  for (const std::string group : {"ipv6/conf", "ipv6/neigh"}) {
    device.settings.erase(group);
    device.settled.erase(group);
  }
}

/// ipv4_devconf_setall()
void settle_inet(Device& device) {
  for (const auto& [name, value] : device.settings["ipv4/conf"]) {
    device.settled["ipv4/conf"][name] = true;
  }
  for (const auto& [name, value] : device.settings["ipv4/neigh"]) {
    device.settled["ipv4/neigh"][name] = true;
  }
}

bool promotes_secondaries(const Namespace& there, const Device& device) {
  return there.settings.at("net/ipv4/conf/all/promote_secondaries") != "0" ||
         device.settings.at("ipv4/conf").at("promote_secondaries") != "0";
}

std::string inet6_setting(const Device& device, const std::string& name) {
  const auto group = device.settings.find("ipv6/conf");
  if (group == device.settings.end()) return "0";
  const auto found = group->second.find(name);
  return found == group->second.end() ? "0" : found->second;
}

std::vector<std::int32_t> inet_configuration(const Device& device) {
  std::vector<std::int32_t> numbers;
  for (const std::string_view name : inet_conf_order) {
    std::int32_t number = 0;
    const std::string& text = device.settings.at("ipv4/conf").at(std::string(name));
    std::from_chars(text.data(), text.data() + text.size(), number);
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace plumbline::sim
