// Every example in specs/ does what it says: it is valid, and on the real kernel it applies, has
// nothing to do the second time, and is gone without a trace after destroy.
//
// The cards an example calls physical are veth ends, made in a network namespace of the test's own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/house/tree.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::house {
namespace {

namespace fs = std::filesystem;
using test::CommandResult;
using test::ip;
using test::must_run;

/// What users of other tools have: a folder of examples, where the others are one spec each.
constexpr const char* peers = "peers";

/// The entries of specs/ and of specs/peers: files, and directories that are one spec each.
std::vector<std::string> examples() {
  std::vector<std::string> names;
  for (const fs::path folder : {"", peers}) {
    for (const auto& entry : fs::directory_iterator(root() / "specs" / folder)) {
      if (entry.path().filename() == peers) continue;
      names.push_back((folder / entry.path().filename()).string());
    }
  }
  std::ranges::sort(names);
  return names;
}

std::string path_of(const std::string& example) { return (root() / "specs" / example).string(); }

/// All its text, of a directory that of every file.
std::string text_of(const std::string& example) {
  std::string text;
  const auto path = fs::path(path_of(example));
  std::vector<File> files;
  if (fs::is_directory(path)) {
    files = files_below("specs/" + example, {".json"});
  } else {
    files.push_back(read_file(path));
  }
  for (const auto& file : files) {
    for (const auto& line : file.lines) text += line + '\n';
  }
  return text;
}

std::vector<std::string> physical_links(const std::string& text) {
  static const std::regex pattern(R"re("([^"]+)":\s*\{\s*"kind":\s*"physical")re");
  std::vector<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    names.push_back((*it)[1]);
  }
  return names;
}

/// Git keeps no modes: key files of an example are for their owner alone only now.
void guard_keys(const std::string& example) {
  const fs::path path = path_of(example);
  if (!fs::is_directory(path)) return;
  for (const auto& entry : fs::directory_iterator(path)) {
    const auto suffix = entry.path().extension();
    if (suffix != ".key" && suffix != ".conf") continue;
    std::error_code read_only;  // then it may be seen as it is
    fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write, read_only);
  }
}

bool has_wireguard() {
  if (test::run({"ip", "link", "add", "probe", "type", "wireguard"}).status != 0) return false;
  ip("link del probe");
  return true;
}

bool has_vlans() {
  ip("link add probe type veth peer name other");
  const bool has =
      test::run({"ip", "link", "add", "link", "probe", "name", "one", "type", "vlan", "id", "1"})
          .status == 0;
  ip("link del probe");
  return has;
}

bool has_ebtables() { return test::run({"ebtables-nft", "-V"}).status == 0; }

/// Why the machine cannot run the example, or nothing.
std::string missing_for(const std::string& text) {
  const bool guests = text.find("\"networks\"") != std::string::npos;
  if (guests || text.find("\"tap\"") != std::string::npos) {
    const int descriptor = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return "/dev/net/tun cannot be opened";
    ::close(descriptor);
  }
  const bool filters = guests || text.find("tables\"") != std::string::npos;
  if (filters && test::run({"iptables-save"}).status != 0) {
    return "iptables-save does not run here";
  }
  if ((guests || text.find("\"ebtables\"") != std::string::npos) && !has_ebtables()) {
    return "ebtables-nft is not installed";
  }
  const bool tunnels = text.find("\"kind\": \"wireguard\"") != std::string::npos ||
                       text.find("\"configFile\"") != std::string::npos;
  if (tunnels && !has_wireguard()) return "this kernel has no wireguard";
  const bool vlans = text.find("\"kind\": \"vlan\"") != std::string::npos;
  if (vlans && !has_vlans()) return "this kernel has no VLANs";
  return {};
}

CommandResult plumbline(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PLUMBLINE_BINARY);
  return test::run(arguments);
}

std::string without(const std::string& text, const std::regex& unwanted) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_search(line, unwanted)) kept += line + '\n';
  }
  return kept;
}

/// Everything a person would look at, in the words of independent programs. Left out: what the
/// kernel makes by itself when a link goes up (link-local addresses and their routes), what it
/// finds out about carriers a moment later, the times in comments of iptables-save, and counters.
std::string snapshot() {
  const std::regex noise("fe80:|ff00::|^#");
  const std::regex carrier(
      "(UNKNOWN|UP|DOWN|LOWERLAYERDOWN) +(?=\\S+ <)|NO-CARRIER,|,LOWER_UP| (link)?down\\b");
  const std::regex counters("\\[[0-9]+:[0-9]+\\]");
  std::string text;
  for (const char* what : {"-br link", "-o addr", "route show table all", "-6 route show table all",
                           "rule", "-6 rule"}) {
    text += std::string("--- ip ") + what + '\n' +
            std::regex_replace(without(ip(what), noise), carrier, "");
  }
  for (const char* save : {"iptables-save", "ip6tables-save", "ebtables-nft-save"}) {
    if (std::string_view(save).starts_with("eb") && !has_ebtables()) continue;
    text += std::string("--- ") + save + '\n' +
            std::regex_replace(without(must_run({save}), noise), counters, "[]");
  }
  for (const char* sysctl : {"net/ipv4/ip_forward", "net/ipv4/conf/all/src_valid_mark",
                             "net/ipv6/conf/all/forwarding"}) {
    text += std::string(sysctl) + " = " + must_run({"cat", std::string("/proc/sys/") + sysctl});
  }
  return text;
}

class Specs : public test::NetnsTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const auto text = text_of(GetParam());
    if (const auto missing = missing_for(text); !missing.empty()) GTEST_SKIP() << missing;
    guard_keys(GetParam());
    test::bring_up_loopback();
    for (const char* conf : {"all", "default"}) {
      // Addresses are usable at once: no flag that changes between two looks.
      std::ofstream(std::string("/proc/sys/net/ipv6/conf/") + conf + "/accept_dad") << 0;
    }
    for (const auto& name : physical_links(text)) {
      // The end stays down: bringing it up is the example's part, and putting it back destroy's.
      ip("link add " + name + " type veth peer name far-" + name);
      ip("link set far-" + name + " up");
    }
    if (text.find("\"DOCKER-USER\"") != std::string::npos) {
      for (const char* rule : {"-N DOCKER-USER", "-A FORWARD -j DOCKER-USER",
                               "-A DOCKER-USER -s 203.0.113.7/32 -j DROP"}) {
        std::istringstream words(rule);
        std::vector<std::string> command{"iptables"};
        for (std::string word; words >> word;) command.push_back(word);
        must_run(command);
      }
    }
  }
};

class SpecFiles : public ::testing::TestWithParam<std::string> {};

std::string test_name(const ::testing::TestParamInfo<std::string>& parameter) {
  const auto path = fs::path(parameter.param).replace_extension().string();
  return std::regex_replace(path, std::regex("\\W"), "_");
}

}  // namespace

TEST_P(SpecFiles, IsValid) {
  guard_keys(GetParam());
  const auto result = plumbline({"validate", path_of(GetParam())});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "");
}

TEST_P(SpecFiles, SaysWhatItIsFor) { EXPECT_TRUE(text_of(GetParam()).starts_with("// ")); }

TEST_P(Specs, AppliesOnceAndIsGoneAfterDestroy) {
  const auto spec = path_of(GetParam());
  const auto before = snapshot();

  const auto first = plumbline({"plan", "--detailed-exitcode", spec});
  EXPECT_EQ(first.status, 2) << first.output;
  const auto applied = plumbline({"apply", "--yes", spec});
  ASSERT_EQ(applied.status, 0) << applied.output;
  EXPECT_NE(snapshot(), before);

  const auto second = plumbline({"plan", "--detailed-exitcode", spec});
  EXPECT_EQ(second.status, 0) << second.output;
  EXPECT_NE(second.output.find("No changes."), std::string::npos) << second.output;
  EXPECT_EQ(second.output.find("blocked"), std::string::npos) << second.output;

  const auto destroyed = plumbline({"destroy", "--yes"});
  ASSERT_EQ(destroyed.status, 0) << destroyed.output;
  EXPECT_EQ(snapshot(), before);
}

TEST_P(Specs, IsRepairedAfterEverythingOfItWasTakenAway) {
  const auto spec = path_of(GetParam());
  const auto applied = plumbline({"apply", "--yes", spec});
  ASSERT_EQ(applied.status, 0) << applied.output;
  const auto as_applied = snapshot();

  for (const char* family : {"-4", "-6"}) {
    for (const char* what : {"route flush table all proto 112", "rule flush proto 112"}) {
      ip(std::string(family) + " " + what);
    }
  }
  for (const auto& name : physical_links(text_of(GetParam()))) ip("link set " + name + " down");

  const auto repaired = plumbline({"apply", "--yes", spec});
  ASSERT_EQ(repaired.status, 0) << repaired.output;
  EXPECT_EQ(snapshot(), as_applied) << repaired.output;
}

TEST_P(Specs, IsShownAsASpecThatIsValid) {
  const auto applied = plumbline({"apply", "--yes", path_of(GetParam())});
  ASSERT_EQ(applied.status, 0) << applied.output;
  for (const std::vector<std::string>& show :
       std::vector<std::vector<std::string>>{{"show", "--quiet"}, {"show", "--all", "--quiet"}}) {
    const auto shown = plumbline(show);
    ASSERT_EQ(shown.status, 0) << shown.output;
    // In the place of the keys of a tunnel stand their fingerprints.
    if (shown.output.find("\"(secret ") != std::string::npos) continue;
    const auto path = fs::temp_directory_path() / ("shown-" + std::to_string(::getpid()) + ".json");
    std::ofstream(path) << shown.output;
    const auto valid = plumbline({"validate", path.string()});
    EXPECT_EQ(valid.status, 0) << valid.output << shown.output;
    fs::remove(path);
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, SpecFiles, ::testing::ValuesIn(examples()), test_name);
INSTANTIATE_TEST_SUITE_P(Examples, Specs, ::testing::ValuesIn(examples()), test_name);

TEST(SpecExamples, AreEachLinkedInTheReadmeOrInThePageForUsersOfOtherTools) {
  std::string documents;
  for (const char* document : {"README.md", "docs/coming-from-other-tools.md"}) {
    for (const auto& line : read_file(root() / document).lines) documents += line + '\n';
  }
  for (const auto& example : examples()) {
    EXPECT_NE(documents.find("specs/" + example + ")"), std::string::npos) << example;
  }
}

}  // namespace plumbline::house
