#include "tests/support/dump.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

struct Mask {
  const char* pattern;
  const char* replacement;
  const char* reason;
};

// The committed list. Adding to it needs a reason as good as these.
const Mask masks[] = {
    {R"(^\d+: )", "", "a link made again has a new index"},
    {R"(@if\d+)", "@if", "the index of a peer elsewhere"},
    {R"( (hello_timer|tcn_timer|topology_change_timer|gc_timer) +[\d.]+)", "",
     "a bridge's timers run"},
    {R"( (topology_change|topology_change_detected) \d)", "",
     "follows the ports' coming and going"},
    {R"( (link-netnsid|vf \d+) \S+)", "", "numbered by the kernel on demand"},
    {R"((\[|^:\S+ \S+ \[)\d+:\d+\])", "$1]", "packet and byte counters"},
    {R"(^# (Generated|Completed).*$)", "", "iptables-save writes the time"},
    {R"( (tentative|optimistic)\b)", "", "duplicate address detection runs for a second"},
    {R"( expires \d+sec)", "", "counts down"},
    {R"( (timer_message_age|timer_hold|timer_forward_delay|message_age_timer|forward_delay_timer|hold_timer) +[\d.]+)",
     "", "a port's timers run"},
    {R"( (port_id|designated_port|port_no) \S+)", "",
     "a port that joins again gets the next number"},
    {R"( state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN))", "",
     "follows the carrier, later than the change"},
    {R"( linkdown\b)", "", "follows the carrier, later than the change"},
    {R"(,(LOWER_UP|NO-CARRIER)|(NO-CARRIER),)", "", "follows the carrier"},
    {R"( state (forwarding|disabled|blocking|listening|learning) )", " ",
     "spanning tree's progress"},
};

bool is_kernels_own(const std::string& line) {
  // Made by the kernel from the link's MAC and its being up, within about a second.
  return line.find("inet6 fe80::") != std::string::npos ||
         (line.find("proto kernel") != std::string::npos &&
          (line.find("fe80::") != std::string::npos ||
           line.find("ff00::/8") != std::string::npos)) ||
         (line.starts_with("anycast ") || line.starts_with("multicast ff00"));
}

/// Sorted: the kernel lists links by index and routes of IPv6 by when they came.
std::string masked(const std::string& title, const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    for (const Mask& mask : masks) {
      line = std::regex_replace(line, std::regex(mask.pattern), mask.replacement);
    }
    if (!line.empty() && !is_kernels_own(line)) lines.push_back(title + ": " + line);
  }
  const bool ordered = title.find("tables") != std::string::npos;
  if (!ordered) std::ranges::sort(lines);
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

}  // namespace

std::string dump_namespace(const std::vector<std::string>& sysctls) {
  std::string all;
  const auto add = [&](const std::string& title, const std::vector<std::string>& command) {
    all += masked(title, must_run(command));
  };
  add("link", {"ip", "-o", "-d", "link", "show"});
  add("inet address", {"ip", "-o", "-4", "-N", "address", "show"});
  add("inet6 address", {"ip", "-o", "-6", "-N", "address", "show"});
  add("inet route", {"ip", "-4", "-d", "route", "show", "table", "all"});
  add("inet6 route", {"ip", "-6", "-d", "route", "show", "table", "all"});
  add("inet rule", {"ip", "-4", "-d", "rule", "show"});
  add("inet6 rule", {"ip", "-6", "-d", "rule", "show"});
  add("qdisc", {"tc", "qdisc", "show"});
  add("inet tables", {"iptables-nft-save"});
  add("inet6 tables", {"ip6tables-nft-save"});
  for (const std::string& path : sysctls) {
    std::ifstream file("/proc/sys/" + path);
    std::string value;
    std::getline(file, value);
    all += "sysctl " + path + ": " + value + "\n";
  }
  return all;
}

std::string difference(const std::string& before, const std::string& after) {
  const auto lines_of = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  };
  if (before == after) return {};
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  std::vector<std::string> gone;
  std::vector<std::string> come;
  std::ranges::set_difference(old_lines, new_lines, std::back_inserter(gone));
  std::ranges::set_difference(new_lines, old_lines, std::back_inserter(come));
  std::string text;
  for (const std::string& line : gone) text += "- " + line + "\n";
  for (const std::string& line : come) text += "+ " + line + "\n";
  return text.empty() ? "the same lines in another order\n" : text;
}

}  // namespace plumbline::test
