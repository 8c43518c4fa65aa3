// Who may include whom: docs/architecture.md, "The layers", enforced on the #include lines.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <set>

#include "tests/house/tree.hpp"

namespace plumbline::house {
namespace {

/// Lowest first. The rooms of the firewall's wing are layers of their own, among the others.
constexpr std::array<std::string_view, 21> layers{"base",
                                                  "wire",
                                                  "firewall/text",
                                                  "firewall/bytes",
                                                  "kinds",
                                                  "firewall/model",
                                                  "state",
                                                  "kernel",
                                                  "memory",
                                                  "spec",
                                                  "plan",
                                                  "io",
                                                  "firewall/tables",
                                                  "firewall/observe",
                                                  "firewall/compile",
                                                  "firewall/commit",
                                                  "engine",
                                                  "doctor",
                                                  "report",
                                                  "daemon",
                                                  "cli"};
constexpr std::string_view first_impure = "io";

/// `report` stands above those that do things, and does nothing itself.
bool is_pure(std::string_view layer) {
  return layer == "report" ||
         std::ranges::find(layers, layer) < std::ranges::find(layers, first_impure);
}

/// Bans beyond the order of the layers.
struct Ban {
  std::string_view from;
  std::string_view to;
};
constexpr std::array<Ban, 8> bans{{{"plan", "spec"},
                                   {"memory", "kernel"},
                                   {"io", "kinds"},
                                   {"io", "firewall/model"},
                                   {"io", "state"},
                                   {"io", "spec"},
                                   {"io", "plan"},
                                   {"kinds", "firewall/bytes"}}};

std::optional<std::size_t> layer_of(std::string_view path) {
  for (const std::string_view top : {"include/plumbline/", "src/"}) {
    if (!path.starts_with(top)) continue;
    const auto rest = path.substr(top.size());
    const std::size_t wing =
        rest.starts_with("firewall/") ? std::string_view("firewall/").size() : 0;
    const auto* const found = std::ranges::find(layers, rest.substr(0, rest.find('/', wing)));
    if (found != layers.end()) return static_cast<std::size_t>(found - layers.begin());
  }
  return std::nullopt;
}

struct Include {
  std::string target;
  bool ours = false;
};

std::optional<Include> include_in(const std::string& line) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::smatch match;
  if (!std::regex_search(line, match, pattern)) return std::nullopt;
  return Include{match[2], match[2].str().starts_with("plumbline/") || match[1] == "\""};
}

bool is_header(std::string_view path) { return path.ends_with(".hpp"); }

/// Nothing, or why a file of layer `from` may not include the header of the system or a library.
/// <sys/socket.h> may be included for the names of address families; words_test.cpp looks at calls.
std::string fault_of_foreign(const File& file, std::size_t from, const std::string& target) {
  static const std::regex io_or_clock(
      "(chrono|ctime|time\\.h|fstream|iostream|cstdio|stdio\\.h|filesystem|thread|mutex|future|"
      "condition_variable|random|unistd\\.h|fcntl\\.h|poll\\.h|spawn\\.h|dirent\\.h|net/if\\.h|"
      "sys/(?!socket\\.h).*)");
  const auto layer = layers.at(from);
  if (is_pure(layer) && std::regex_match(target, io_or_clock)) {
    return "a pure layer does no I/O and reads no clock";
  }
  if (target.starts_with("boost/asio") && (layer != "daemon" || is_header(file.path))) {
    return "Asio is only in sources of daemon";
  }
  if (target.starts_with("CLI/") && (layer != "cli" || is_header(file.path))) {
    return "CLI11 is only in sources of cli";
  }
  if (target.starts_with("spdlog/") &&
      ((layer != "daemon" && layer != "cli") || file.path.starts_with("include/"))) {
    return "only daemon and cli log, and no header that many files include says how";
  }
  if (is_header(file.path) && file.path.starts_with("include/") &&
      target.starts_with("boost/json") && target != "boost/json/fwd.hpp") {
    return "headers declare Boost.JSON by its fwd.hpp, as it is slow to compile";
  }
  return {};
}

std::string fault_of_ours(std::size_t from, const std::string& target) {
  if (target.ends_with(".cpp")) return "a source is not included";
  if (!target.starts_with("plumbline/")) {
    // A private header: beside the source that includes it, or named from the top.
    const auto to = target.find('/') == std::string::npos ? std::optional(from) : layer_of(target);
    return to == from ? "" : "a private header belongs to the sources of its own layer";
  }
  const auto to = layer_of("include/" + target);
  if (!to) return "no such layer";
  if (*to > from) return std::string(layers.at(from)) + " is below " + std::string(layers.at(*to));
  for (const auto& ban : bans) {
    if (ban.from != layers.at(from) || ban.to != layers.at(*to)) continue;
    return std::string(ban.from) + " does not know " + std::string(ban.to);
  }
  return {};
}

std::vector<std::string> layer_faults(const std::vector<File>& files) {
  std::vector<std::string> faults;
  for (const auto& file : files) {
    const auto from = layer_of(file.path);
    if (!from) {
      if (file.path != "src/main.cpp") faults.push_back(file.path + ": in no layer");
      continue;
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto include = include_in(file.lines[i]);
      if (!include) continue;
      const auto fault = include->ours ? fault_of_ours(*from, include->target)
                                       : fault_of_foreign(file, *from, include->target);
      if (!fault.empty()) {
        faults.push_back(file.path + ":" + std::to_string(i + 1) + ": " + include->target + ": " +
                         fault);
      }
    }
  }
  return faults;
}

/// Headers in include/ that no other layer sees, neither by itself nor by way of another of them.
std::vector<std::string> headers_of_nobody(const std::vector<File>& files) {
  std::set<std::string> seen;
  for (std::size_t before = files.size(); before != seen.size();) {
    before = seen.size();
    for (const auto& file : files) {
      for (const auto& line : file.lines) {
        const auto include = include_in(line);
        if (!include || !include->target.starts_with("plumbline/")) continue;
        const std::string target = "include/" + include->target;
        if (layer_of(target) != layer_of(file.path) || seen.contains(file.path))
          seen.insert(target);
      }
    }
  }
  std::vector<std::string> nobodys;
  for (const auto& file : files) {
    if (file.path.starts_with("include/") && !seen.contains(file.path))
      nobodys.push_back(file.path);
  }
  return nobodys;
}

/// Values, and what a kind says of them, are `plumbline`'s own: they find their functions by their
/// type. The firewall's wing has one namespace, every other layer its own.
std::string namespace_of(std::string_view layer) {
  for (const std::string_view vocabulary : {"base", "kinds", "firewall/model", "state"}) {
    if (layer == vocabulary) return "plumbline";
  }
  return "plumbline::" + std::string(layer.substr(0, layer.find('/')));
}

/// A header that is beside its sources is no part of what kinds are to others.
bool is_detail(const File& file, std::string_view layer) {
  return is_header(file.path) && file.path.starts_with("src/") &&
         namespace_of(layer) == "plumbline" && layer != "firewall/model";
}

/// Files that open another namespace than their layer's. In one that has `plumbline`, what is not
/// for others is in `plumbline::detail`.
std::vector<std::string> namespace_faults(const std::vector<File>& files) {
  static const std::regex opened(R"(^(?:inline )?namespace (plumbline[\w:]*) \{)");
  std::vector<std::string> faults;
  for (const auto& file : files) {
    const auto layer = layer_of(file.path);
    if (!layer) continue;
    const std::string wanted = namespace_of(layers.at(*layer));
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, opened)) continue;
      const std::string is = match[1];
      const bool good =
          is == wanted + "::detail" || (is == wanted && !is_detail(file, layers.at(*layer)));
      if (good) continue;
      faults.push_back(file.path + ":" + std::to_string(i + 1) + ": " + is + ", not " + wanted);
    }
  }
  return faults;
}

std::size_t namespace_faults_of(std::string path, std::string line) {
  return namespace_faults({File{std::move(path), {std::move(line)}}}).size();
}

std::size_t faults_of(std::string path, std::string line) {
  return layer_faults({File{std::move(path), {std::move(line)}}}).size();
}

}  // namespace

TEST(Layers, IncludeOnlyWhatIsBelowThem) {
  const auto files = program_sources();
  ASSERT_GT(files.size(), 20U);
  const auto faults = layer_faults(files);
  EXPECT_TRUE(faults.empty()) << joined(faults);
}

TEST(Layers, AnIncludeUpwardsIsSeen) {
  EXPECT_EQ(faults_of("src/wire/a.cpp", "#include \"plumbline/kinds/kind.hpp\""), 1U);
  EXPECT_EQ(faults_of("include/plumbline/engine/a.hpp", "#include \"plumbline/cli/cli.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/kinds/a.cpp", "#include \"plumbline/wire/entry.hpp\""), 0U);
  EXPECT_EQ(faults_of("src/report/a.cpp", "#include \"plumbline/daemon/daemon.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/engine/a.cpp", "#include \"plumbline/report/report.hpp\""), 1U);
}

TEST(Layers, TheBansBeyondTheOrderAreSeen) {
  EXPECT_EQ(faults_of("src/plan/a.cpp", "#include \"plumbline/spec/load.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/memory/a.cpp", "#include \"plumbline/kernel/reach.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/io/a.cpp", "#include \"plumbline/kinds/kind.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/io/a.cpp", "#include \"plumbline/spec/load.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/io/a.cpp", "#include \"plumbline/firewall/model/chain.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/io/a.cpp", "#include \"plumbline/firewall/text/iptables.hpp\""), 0U);
  EXPECT_EQ(
      faults_of("src/firewall/text/a.cpp", "#include \"plumbline/firewall/bytes/nftables.hpp\""),
      1U);
  EXPECT_EQ(faults_of("src/firewall/commit/a.cpp", "#include \"src/firewall/observe/a.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/plan/a.cpp", "#include \"src/kinds/private.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/plan/a.cpp", "#include \"../kinds/private.hpp\""), 1U);
  EXPECT_EQ(faults_of("src/kinds/a.cpp", "#include \"src/kinds/private.hpp\""), 0U);
  EXPECT_EQ(faults_of("src/kinds/a.cpp", "#include \"private.hpp\""), 0U);
  EXPECT_EQ(faults_of("src/kinds/a.cpp", "#include \"private.cpp\""), 1U);
}

TEST(Layers, AHeaderInIncludeIsForOtherLayers) {
  const auto nobodys = headers_of_nobody(program_sources());
  EXPECT_TRUE(nobodys.empty()) << "to be beside its source:" << joined(nobodys);
}

TEST(Layers, AHeaderThatIsForNoOtherLayerIsSeen) {
  const std::vector<File> files{
      {"include/plumbline/io/used.hpp", {"#include \"plumbline/io/by_way.hpp\""}},
      {"include/plumbline/io/by_way.hpp", {}},
      {"include/plumbline/io/private.hpp", {}},
      {"src/io/a.cpp", {"#include \"plumbline/io/private.hpp\""}},
      {"src/engine/a.cpp", {"#include \"plumbline/io/used.hpp\""}}};
  EXPECT_EQ(headers_of_nobody(files), std::vector<std::string>{"include/plumbline/io/private.hpp"});
}

TEST(Layers, AHeaderInTheWrongPlaceIsSeen) {
  EXPECT_EQ(faults_of("src/plan/a.cpp", "#include <chrono>"), 1U);
  EXPECT_EQ(faults_of("src/base/a.cpp", "#include <sys/ioctl.h>"), 1U);
  EXPECT_EQ(faults_of("src/report/a.cpp", "#include <cstdio>"), 1U);
  EXPECT_EQ(faults_of("src/io/a.cpp", "#include <sys/ioctl.h>"), 0U);
  EXPECT_EQ(faults_of("src/engine/a.cpp", "#include <boost/asio/io_context.hpp>"), 1U);
  EXPECT_EQ(faults_of("src/daemon/a.cpp", "#include <boost/asio/io_context.hpp>"), 0U);
  EXPECT_EQ(faults_of("include/plumbline/daemon/a.hpp", "#include <spdlog/spdlog.h>"), 1U);
  EXPECT_EQ(faults_of("include/plumbline/kinds/a.hpp", "#include <boost/json/value.hpp>"), 1U);
  EXPECT_EQ(faults_of("src/daemon/a.cpp", "#include <CLI/CLI.hpp>"), 1U);
  EXPECT_EQ(faults_of("src/other/a.cpp", "#include <string>"), 1U);
}

TEST(Layers, OpenTheirNamespace) {
  const auto faults = namespace_faults(program_sources());
  EXPECT_TRUE(faults.empty()) << joined(faults);
}

TEST(Layers, ANamespaceOfAnotherLayerIsSeen) {
  EXPECT_EQ(namespace_faults_of("src/plan/a.cpp", "namespace plumbline {"), 1U);
  EXPECT_EQ(namespace_faults_of("src/plan/a.cpp", "namespace plumbline::plan {"), 0U);
  EXPECT_EQ(namespace_faults_of("src/kinds/link/a.cpp", "namespace plumbline {"), 0U);
  EXPECT_EQ(namespace_faults_of("src/kinds/a.cpp", "namespace plumbline::kinds {"), 1U);
  EXPECT_EQ(namespace_faults_of("src/kinds/a.hpp", "namespace plumbline {"), 1U);
  EXPECT_EQ(namespace_faults_of("src/kinds/a.hpp", "namespace plumbline::detail {"), 0U);
  EXPECT_EQ(namespace_faults_of("src/firewall/model/a.cpp", "namespace plumbline {"), 0U);
  EXPECT_EQ(namespace_faults_of("src/firewall/text/a.cpp", "namespace plumbline::firewall {"), 0U);
  EXPECT_EQ(namespace_faults_of("include/plumbline/io/a.hpp", "namespace plumbline {"), 1U);
}

}  // namespace plumbline::house
