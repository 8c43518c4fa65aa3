// Rules of the code that no compiler and no linter checks: docs/architecture.md says why each is.

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/house/tree.hpp"

namespace plumbline::house {
namespace {

/// The places in `files` whose code matches.
std::vector<std::string> places(const std::vector<File>& files, const std::regex& pattern) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (std::regex_search(std::string(code_of(file.lines[i])), pattern)) {
        found.push_back(file.path + ":" + std::to_string(i + 1) + ": " + file.lines[i]);
      }
    }
  }
  return found;
}

std::vector<File> pure_sources() {
  auto files = program_sources();
  const std::regex pure(
      "^(include/plumbline|src)/"
      "(base|wire|firewall/text|firewall/bytes|firewall/model|kinds|state|kernel|memory|spec|plan|"
      "report)/");
  std::erase_if(files, [&](const File& file) { return !std::regex_search(file.path, pure); });
  return files;
}

const std::regex bad_noun(
    "\\b(class|struct|enum|union)\\s+\\w*(Manager|Helper|Util|Utils|Handler|Info|Data)\\b");
const std::regex other_throw("\\bthrow\\b(?!\\s*(wire::)?Malformed)");
const std::regex system_call(
    "(^|[^.>\\w])(socket|sendto|sendmsg|recvmsg|ioctl|fopen|getenv|system|popen|"
    "if_nametoindex|if_indextoname|getaddrinfo|gethostbyname|mnl_socket_\\w+|clock_gettime|time|"
    "getpid|rand)\\s*\\(|(^|[^\\w])::(open|read|write|close|bind|connect)\\(");
const std::regex mounting("(^|[^.>\\w])u?mount2?\\(");

}  // namespace

TEST(Words, PureLayersThrowNothingButMalformed) {
  const auto found = places(pure_sources(), other_throw);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, PureLayersAskTheSystemNothing) {
  const auto found = places(pure_sources(), system_call);
  EXPECT_TRUE(found.empty()) << joined(found);
}

/// What talks to the kernel beside a Host: the lock and who asks for it, the doctor, and where the
/// environment is read.
TEST(Words, SystemCallsAreMadeInIo) {
  auto files = program_sources();
  const std::regex may(
      "^src/(io/|main\\.cpp|engine/lock\\.cpp|doctor/.*\\.cpp|daemon/(daemon|stake|"
      "service_notify|log|log_writer)\\.cpp|cli/.*\\.cpp)|^include/plumbline/io/");
  std::erase_if(files, [&](const File& file) { return std::regex_search(file.path, may); });
  const auto found = places(files, system_call);
  EXPECT_TRUE(found.empty()) << joined(found);
}

/// `Link|Route|…`, as state/state.hpp lists them.
std::string names_of_kinds() {
  const std::regex list("using Kinds =\\s*KindList<([^>]*)>");
  std::string text;
  for (const auto& line : read_file(root() / "include/plumbline/state/state.hpp").lines) {
    text += line + ' ';
  }
  std::smatch kinds;
  if (!std::regex_search(text, kinds, list)) return {};
  return std::regex_replace(kinds[1].str(), std::regex(",\\s*"), "|");
}

/// The kind itself, what has its name in it, and the ways round a name. Passed over are Needs by
/// name and what a need asks for (LinkNames, LinkProvider, ChainNames, ...), the ruleset of
/// nf_tables, and the request that all of /proc/sys is written by.
std::regex names_a_kind() {
  return std::regex(
      "\\b(?!LinkNames\\b|LinkProvider\\b|Links\\b|LinkGroups\\b|ChainNames\\b|ChainsProvided\\b|"
      "ChainScope\\b|ChainStep\\b|Chains\\b|Ruleset\\b|SysctlWrite\\b)(" +
      names_of_kinds() +
      ")\\w*|\\b(Bridge|Veth|Vlan|Vxlan|Tap|Ifb|Dummy)[A-Z]\\w*|\\b(PortSettings|Nexthop|"
      "FirewallRule|"
      "RuleList)\\b|[./]kinds/(?!kind\\.hpp|link_group\\.hpp)|firewall/model/chain|"
      "std::get(_if)?<\\d|variant_alternative|kind_name\\s*[!=]=|\\.index\\(\\)\\s*[!=]=\\s*\\d");
}

/// Kinds say what is theirs (docs/decisions/0016), and layers below what goes with what (0017).
TEST(Words, PlanAndEngineNameNoKind) {
  EXPECT_GE(std::ranges::count(names_of_kinds(), '|'), 8);
  auto files = program_sources();
  const std::regex planning("^(include/plumbline|src)/(plan|engine)/");
  std::erase_if(files, [&](const File& file) { return !std::regex_search(file.path, planning); });
  EXPECT_GT(files.size(), 40U);
  const auto found = places(files, names_a_kind());
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, TypesAreNamedForWhatTheyAre) {
  auto files = program_sources();
  const auto found = places(files, bad_noun);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, EveryHeaderSaysWhatItIsForAndIsReadOnce) {
  std::vector<std::string> faults;
  for (const auto& file : program_sources()) {
    if (!file.path.ends_with(".hpp")) continue;
    if (file.lines.empty() || !file.lines.front().starts_with("// ")) faults.push_back(file.path);
    if (std::ranges::count(file.lines, std::string("#pragma once")) != 1) {
      faults.push_back(file.path + ": no #pragma once");
    }
  }
  EXPECT_TRUE(faults.empty()) << joined(faults);
}

/// What a test leaves mounted is so for every test behind it in the same process.
TEST(Words, TestsMountNothingButByWayOfSupport) {
  auto files = files_below("tests", {".cpp", ".hpp"});
  std::erase_if(files, [](const File& file) {
    return file.path.starts_with("tests/support/") || file.path.starts_with("tests/house/");
  });
  const auto found = places(files, mounting);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, TheChecksSeeWhatTheyAreFor) {
  const auto seen = [](const char* line, const std::regex& pattern) {
    return !places({File{"src/daemon/a.cpp", {line}}}, pattern).empty();
  };
  EXPECT_TRUE(seen("  if (std::holds_alternative<Route>(resource)) return;", names_a_kind()));
  EXPECT_TRUE(seen("  const Link::Key where{name};", names_a_kind()));
  EXPECT_TRUE(seen("  if (kind == LinkKind::veth) return;", names_a_kind()));
  EXPECT_TRUE(seen("#include \"plumbline/kinds/route.hpp\"", names_a_kind()));
  EXPECT_TRUE(seen("  if (options == BridgeOptions{}) return;", names_a_kind()));
  EXPECT_TRUE(seen("  const LinkIdentity identity;", names_a_kind()));
  EXPECT_TRUE(seen("  return std::get<4>(resource);", names_a_kind()));
  EXPECT_TRUE(seen("  if (step.key.index() == 4) return;", names_a_kind()));
  EXPECT_TRUE(seen("  if (K::kind_name == name) return;", names_a_kind()));
  EXPECT_FALSE(seen("  LinkNames names;  // of each Link", names_a_kind()));
  EXPECT_TRUE(seen("class LinkManager {", bad_noun));
  EXPECT_FALSE(seen("// class LinkManager", bad_noun));
  EXPECT_TRUE(seen("  throw std::runtime_error(x);", other_throw));
  EXPECT_FALSE(seen("  throw wire::Malformed(x);", other_throw));
  EXPECT_TRUE(seen("  const int fd = socket(AF_INET, SOCK_STREAM, 0);", system_call));
  EXPECT_TRUE(seen("  return ::open(path, 0);", system_call));
  EXPECT_FALSE(seen("  parser.open(node);", system_call));
  EXPECT_TRUE(seen("  ASSERT_EQ(mount(a, b, nullptr, MS_BIND, nullptr), 0);", mounting));
  EXPECT_FALSE(seen("  disk.mount(a);", mounting));
}

}  // namespace plumbline::house
