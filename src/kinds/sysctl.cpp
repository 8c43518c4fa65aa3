#include "plumbline/kinds/sysctl.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <climits>

#include "plumbline/base/number.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline {

namespace {

/// The kernel takes no more than a page less one byte (fs/proc/proc_sysctl.c copies it whole).
constexpr std::size_t max_value_size = 4095;

/// addr_gen_mode: IN6_ADDR_GEN_MODE_STABLE_PRIVACY.
constexpr std::string_view stable_privacy = "2";

/// Those of net/ipv6/conf/all that the kernel writes through to every link (net/ipv6/addrconf.c);
/// the others are only one of two values that are combined.
constexpr std::array<std::string_view, 5> ipv6_for_all{"addr_gen_mode", "disable_ipv6",
                                                       "force_forwarding", "forwarding",
                                                       "ignore_routes_with_linkdown"};

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return parts;
    path.remove_prefix(end + 1);
  }
}

/// With slashes: what stands first of the two separators is the one (sysctl(8)), so a path with
/// slashes may have dots in its names.
std::string slashed(std::string path) {
  if (path.find('/') == std::string::npos) std::ranges::replace(path, '.', '/');
  return path;
}

bool is_component(std::string_view part) {
  return !part.empty() && part.size() <= NAME_MAX && part != "." && part != ".." &&
         std::ranges::all_of(part, [](char c) { return c > ' ' && c < 127; });
}

/// Below net/ and nothing else: the path becomes a file name.
bool is_path(std::string_view path) {
  constexpr std::size_t longest = PATH_MAX - 1 - std::string_view("/proc/sys/").size();
  const auto parts = components(path);
  return path.size() <= longest && parts.size() >= 2 && parts.front() == "net" &&
         std::ranges::all_of(parts, is_component);
}

std::string folded(std::string_view text) {
  std::string value;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank) {
      value += c;
    } else if (!value.empty() && value.back() != ' ') {
      value += ' ';
    }
  }
  if (!value.empty() && value.back() == ' ') value.pop_back();
  return value;
}

/// What stands between single blanks.
std::vector<std::string_view> words(std::string_view value) {
  std::vector<std::string_view> words;
  while (!value.empty()) {
    const auto end = value.find(' ');
    words.push_back(value.substr(0, end));
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 1);
  }
  return words;
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string value;
  for (const auto word : words) {
    if (!value.empty()) value += ' ';
    value += word;
  }
  return value;
}

/// As the kernel reads it (strtoul_lenient() in kernel/sysctl.c): with a sign, `0x` and `0` as in
/// C.
std::optional<std::int64_t> number_of(std::string_view word) {
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  int base = 10;
  if (word.starts_with("0x") || word.starts_with("0X")) {
    base = 16;
    word.remove_prefix(2);
  } else if (word.size() > 1 && word.starts_with('0')) {
    base = 8;
    word.remove_prefix(1);
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  const bool whole = error == std::errc() && end == word.data() + word.size() && number >= 0;
  if (!whole) return std::nullopt;
  return negative ? -number : number;
}

std::optional<std::string> path_of(const wire::Entry& entry) {
  std::string path = slashed(std::string(entry.key()));
  if (!is_path(path)) {
    entry.error(Code::invalid_sysctl,
                "'" + std::string(entry.key()) + "' is not the name of a setting below net");
  } else if (path.ends_with("/route/flush")) {
    entry.error(Code::invalid_sysctl, "'" + path + "' is an action and holds no value");
  } else if (path == "net/ipv4/conf/all/forwarding") {
    return "net/ipv4/ip_forward";  // one variable: devinet_sysctl in net/ipv4/devinet.c
  } else {
    return path;
  }
  return std::nullopt;
}

std::optional<std::string> value_of(const wire::Entry& entry) {
  if (const auto* number = entry.node().get<std::uint64_t>()) return std::to_string(*number);
  if (const auto* number = entry.node().get<std::int64_t>()) return std::to_string(*number);
  if (entry.node().get<wire::HugeNumber>() != nullptr) {
    entry.error(Code::out_of_range, "the number does not fit into 64 bits");
    return std::nullopt;
  }
  const auto* text = entry.node().get<std::string>();
  if (text == nullptr) {
    entry.error(Code::wrong_type, "expected an integer or a string");
    return std::nullopt;
  }
  const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; };
  if (std::ranges::any_of(*text, is_control)) {
    entry.error(Code::invalid_sysctl, "the value has a line break or another control character");
  } else if (text->size() > max_value_size) {
    entry.error(Code::out_of_range,
                "the value is longer than " + std::to_string(max_value_size) + " bytes");
  } else {
    return folded(*text);
  }
  return std::nullopt;
}

bool is_forwarding(std::string_view path) {
  return path == "net/ipv4/ip_forward" || path.ends_with("/forwarding");
}

}  // namespace

std::vector<wire::Request> Sysctl::queries(const Scope& scope) {
  std::vector<wire::Request> queries;
  for (const std::string& path : scope.sysctls) queries.emplace_back(wire::SysctlRead{path});
  return queries;
}

void Sysctl::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames&,
                    std::vector<Sysctl>& out) {
  const auto* read = std::get_if<wire::SysctlRead>(&request);
  if (read == nullptr) throw wire::Malformed("not the reading of a sysctl");
  if (reply.error == ENOENT) return;
  // net/ipv6/addrconf.c, addrconf_sysctl_stable_secret(): EIO while none is set.
  if (reply.error == EIO && read->path.ends_with("/stable_secret")) return;
  if (reply.error != 0) {
    throw wire::Malformed("reading " + read->path + " failed: " + std::to_string(reply.error) +
                          ' ' + reply.message);
  }
  out.push_back({read->path, folded(reply.text)});
}

std::optional<Sysctl> Sysctl::from_spec(const wire::Entry& entry) {
  auto path = path_of(entry);
  auto value = value_of(entry);
  if (!path || !value) return std::nullopt;
  return Sysctl{std::move(*path), std::move(*value)};
}

Sysctl::Key key(const Sysctl& sysctl) { return {sysctl.path}; }

std::string format(const Sysctl::Key& key) {
  std::string path = key.path;
  if (path.find('.') == std::string::npos) std::ranges::replace(path, '/', '.');
  return "sysctl " + path;
}

std::vector<Need> needs(const Sysctl& sysctl) {
  const auto link = link_of(sysctl.path);
  if (!link) return {};
  return {NeedsLink{*link, false}};
}

Stage stage(const Sysctl& sysctl) {
  return link_of(sysctl.path) ? Stage::link_sysctl : Stage::sysctl;
}

bool is_marked(const Sysctl&, const Mark&) { return false; }

Sysctl with_mark(Sysctl sysctl, const Mark&) { return sysctl; }

/// Numbers as the kernel shows them: `0x1` and `01` read back as `1`, and those at the end of a
/// list that are not given stay as they are (kernel/sysctl.c, do_proc_dointvec()).
Sysctl complete(Sysctl want, const Sysctl& have) {
  auto wanted = words(want.value);
  const auto there = words(have.value);
  if (wanted.empty() || wanted.size() > there.size()) return want;
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (i == wanted.size()) wanted.push_back(there[i]);
    const auto number = number_of(wanted[i]);
    const auto now = number_of(there[i]);
    if (!number || !now) return want;
    if (*number == *now) wanted[i] = there[i];
  }
  want.value = joined(wanted);
  return want;
}

Transition transition(const Sysctl& have, const Sysctl& want) {
  if (have == want) return {};
  const bool stops = is_forwarding(want.path) && want.value == "0";
  return {Change::update, stops ? Disruption::traffic : Disruption::nothing};
}

/// An empty value is written as an empty line: writing nothing at all changes nothing.
std::vector<wire::Request> create(const Sysctl& sysctl, const LinkNames&) {
  return {wire::SysctlWrite{sysctl.path, sysctl.value.empty() ? "\n" : sysctl.value}};
}

std::vector<wire::Request> update(const Sysctl&, const Sysctl& want, const LinkNames& links) {
  return create(want, links);
}

std::vector<wire::Request> remove(const Sysctl&, const LinkNames&) { return {}; }

boost::json::value to_spec(const Sysctl& sysctl) {
  const std::string_view text = sysctl.value;
  const bool negative = text.starts_with('-');
  const auto number = parse_number<std::int64_t>(text.substr(negative ? 1 : 0));
  if (number && std::to_string(negative ? -*number : *number) == text) {
    return negative ? -*number : *number;
  }
  return boost::json::string(sysctl.value);
}

namespace {

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
  const auto parts = components(path);
  if (parts.size() != 5 || (parts[2] != "conf" && parts[2] != "neigh")) return {};
  return along_of_links(parts, sysctl.value);
}

}  // namespace

std::optional<IfName> link_of(std::string_view path) {
  const auto parts = components(path);
  if (parts.size() < 5 || (parts[2] != "conf" && parts[2] != "neigh")) return std::nullopt;
  if (parts[3] == "all" || parts[3] == "default") return std::nullopt;
  return IfName::parse(parts[3]);
}

std::optional<std::string_view> value_without_ipv6(std::string_view path) {
  const auto parts = components(path);
  if (parts.size() != 5 || parts[1] != "ipv6" || parts[2] != "conf" || !link_of(path)) {
    return std::nullopt;
  }
  if (parts[4] == "disable_ipv6") return "1";
  if (parts[4] == "accept_ra") return "0";
  return std::nullopt;
}

std::string path_on(std::string_view path, const IfName& link) {
  std::string text;
  const auto parts = components(path);
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

wire::Request read_request(const Sysctl& sysctl) { return wire::SysctlRead{sysctl.path}; }

bool holds_where_absent(const Sysctl& sysctl) {
  return value_without_ipv6(sysctl.path) == sysctl.value;
}

}  // namespace plumbline
