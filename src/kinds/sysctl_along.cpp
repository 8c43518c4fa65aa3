// Settings of links, and what the kernel changes along with a setting.

#include <algorithm>
#include <array>

#include "plumbline/kinds/sysctl.hpp"
#include "sysctl_path.hpp"

namespace plumbline {

std::vector<std::string_view> detail::path_components(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return parts;
    path.remove_prefix(end + 1);
  }
}

namespace {

/// addr_gen_mode: IN6_ADDR_GEN_MODE_STABLE_PRIVACY.
constexpr std::string_view stable_privacy = "2";

/// Those of net/ipv6/conf/all that the kernel writes through to every link (net/ipv6/addrconf.c);
/// the others are only one of two values that are combined.
constexpr std::array<std::string_view, 5> ipv6_for_all{"addr_gen_mode", "disable_ipv6",
                                                       "force_forwarding", "forwarding",
                                                       "ignore_routes_with_linkdown"};

/// A setting that is written along. With a `*` in its path: that of every link.
struct Along {
  std::string path;
  std::string_view value;
};

std::vector<Along> along_of_forwarding(std::string_view value) {
  return {{"net/ipv4/conf/all/accept_redirects", value == "0" ? "1" : "0"},
          {"net/ipv4/conf/default/forwarding", value},
          {"net/ipv4/conf/*/forwarding", value}};
}

/// Below net/ipv4/conf, net/ipv6/conf and their like.
std::vector<Along> along_of_links(const std::vector<std::string_view>& parts,
                                  std::string_view value) {
  const bool v4 = parts[1] == "ipv4";
  const std::string directory = "net/" + std::string(parts[1]) + '/' + std::string(parts[2]) + '/';
  const std::string name(parts[4]);
  const bool of_default = parts[3] == "default";
  if (name == "stable_secret") {
    const std::string where = of_default ? "*" : std::string(parts[3]);
    return {{directory + where + "/addr_gen_mode", stable_privacy}};
  }
  if (of_default && (parts[2] == "neigh" || (v4 && name != "forwarding"))) {
    return {{directory + "*/" + name, value}};
  }
  const bool for_all = !v4 && parts[2] == "conf" && parts[3] == "all" &&
                       std::ranges::find(ipv6_for_all, name) != ipv6_for_all.end();
  if (!for_all) return {};
  std::vector<Along> along{{directory + "*/" + name, value}};
  if (name != "force_forwarding") along.push_back({directory + "default/" + name, value});
  return along;
}

std::vector<Along> along_of(const Sysctl& sysctl) {
  const std::string_view path = sysctl.path;
  if (path == "net/ipv4/ip_forward" || path == "net/ipv4/conf/all/forwarding") {
    return along_of_forwarding(sysctl.value);
  }
  const bool may = path.find("/all/") != path.npos || path.find("/default/") != path.npos ||
                   path.ends_with("/stable_secret");
  if (!may) return {};
  const auto parts = detail::path_components(path);
  if (parts.size() != 5 || (parts[2] != "conf" && parts[2] != "neigh")) return {};
  return along_of_links(parts, sysctl.value);
}

}  // namespace

std::optional<IfName> link_of(std::string_view path) {
  const auto parts = detail::path_components(path);
  if (parts.size() < 5 || (parts[2] != "conf" && parts[2] != "neigh")) return std::nullopt;
  if (parts[3] == "all" || parts[3] == "default") return std::nullopt;
  return IfName::parse(parts[3]);
}

std::optional<std::string_view> value_without_ipv6(std::string_view path) {
  const auto parts = detail::path_components(path);
  if (parts.size() != 5 || parts[1] != "ipv6" || parts[2] != "conf" || !link_of(path)) {
    return std::nullopt;
  }
  if (parts[4] == "disable_ipv6") return "1";
  if (parts[4] == "accept_ra") return "0";
  return std::nullopt;
}

std::string path_on(std::string_view path, const IfName& link) {
  std::string text;
  const auto parts = detail::path_components(path);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) text += '/';
    text += i == 3 ? format(link) : std::string(parts[i]);
  }
  return text;
}

std::vector<std::string> changed_along(const Sysctl& sysctl, const std::vector<IfName>& links) {
  std::vector<std::string> paths;
  for (const Along& along : along_of(sysctl)) {
    if (along.path.find('*') == std::string::npos) {
      paths.push_back(along.path);
      continue;
    }
    for (const IfName& link : links) paths.push_back(path_on(along.path, link));
  }
  return paths;
}

std::optional<std::string> value_along(const Sysctl& written, std::string_view path) {
  for (const Along& along : along_of(written)) {
    const bool of_links = along.path.find('*') != std::string::npos;
    const auto link = of_links ? link_of(path) : std::nullopt;
    if (along.path == path || (link && path_on(along.path, *link) == path)) {
      return std::string(along.value);
    }
  }
  return std::nullopt;
}

}  // namespace plumbline
