#include "plumbline/kinds/sysctl.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <climits>
#include <utility>

#include "plumbline/base/number.hpp"
#include "plumbline/wire/netlink.hpp"
#include "sysctl_path.hpp"

namespace plumbline {

namespace {

/// The kernel takes no more than a page less one byte (fs/proc/proc_sysctl.c copies it whole).
constexpr std::size_t max_value_size = 4095;

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
  const auto parts = detail::path_components(path);
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

wire::Request read_request(const Sysctl& sysctl) { return wire::SysctlRead{sysctl.path}; }

bool holds_where_absent(const Sysctl& sysctl) {
  return value_without_ipv6(sysctl.path) == sysctl.value;
}

}  // namespace plumbline
