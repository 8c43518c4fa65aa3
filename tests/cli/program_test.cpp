// The program as scripts see it: what it prints where, and how it exits. Drives the real binary in
// a network namespace of the test.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;

/// What went to standard output alone, so that "exactly one document" can be seen.
struct Ran {
  int status;
  std::string out;
  std::string err;
};

class ProgramTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    std::string name = std::filesystem::temp_directory_path() / "plumbline-cli-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    NetnsTest::TearDown();
  }

  std::string file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

  Ran plumbline(const std::vector<std::string>& arguments, std::string_view input = {}) {
    const std::string out = directory_ / "stdout";
    const std::string err = directory_ / "stderr";
    std::vector<std::string> command{"sh", "-c", "exec \"$@\" >\"$0.out\" 2>\"$0.err\"",
                                     directory_ / "run", PLUMBLINE_BINARY};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const CommandResult result = run(command, input);
    return {result.status, read(directory_ / "run.out"), read(directory_ / "run.err")};
  }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path directory_;
};

json::value parsed(const Ran& ran) {
  boost::system::error_code error;
  json::value value = json::parse(ran.out, error);
  EXPECT_FALSE(error) << ran.out << ran.err;
  return value;
}

const char* const blackhole =
    R"({"version": 1, "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}]})";

TEST_F(ProgramTest, SaysNothingAboutAGoodSpec) {
  const Ran ran = plumbline({"validate", file("a.json", blackhole)});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_EQ(plumbline({"validate", "--format", "json", path("a.json")}).out,
            "{\"errors\":[],\"warnings\":[]}\n");
}

TEST_F(ProgramTest, ReportsAllErrorsOfASpecAtTheirPlaces) {
  const std::string spec =
      file("bad.json",
           "{\n  \"version\": 1,\n  \"rutes\": [],\n"
           "  \"routes\": [{\"to\": \"10.0.0.1/8\", \"type\": \"blackhole\"}],\n"
           "  \"links\": {\"br0\": {\"kind\": \"bridge\", \"mtu\": 1e400}}\n}\n");
  const Ran ran = plumbline({"validate", spec});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("bad.json:3:3: UNKNOWN_KEY: "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("bad.json:4:21: INVALID_ROUTE: "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("bad.json:5:46: OUT_OF_RANGE: "), std::string::npos) << ran.err;
  const json::value document = parsed(plumbline({"apply", "--yes", "--format", "json", spec}));
  EXPECT_EQ(document.at("errors").as_array().size(), 3U);
  EXPECT_EQ(document.at("errors").at(0).at("line").as_int64(), 3);
  EXPECT_EQ(document.at("errors").at(1).at("pointer").as_string(), "/routes/0/to");
}

TEST_F(ProgramTest, RefusesWhatIsNoSpecAtAll) {
  std::filesystem::create_directory(path("empty"));
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "[";
  struct {
    std::string source;
    const char* code;
  } const cases[] = {
      {path("missing.json"), "UNREADABLE_FILE"},
      {path("empty"), "EMPTY_SPEC"},
      {path("fifo"), "UNREADABLE_FILE"},
      {"/dev/zero", "UNREADABLE_FILE"},
      {file("a.yaml", "version: 1\n"), "UNSUPPORTED_FORMAT"},
      {file("deep.json", deep), "SYNTAX_ERROR"},
      {file("utf8.json", "{\"version\": 1, \"\xff\": 2}"), "SYNTAX_ERROR"},
      {file("nothing.json", ""), "EMPTY_SPEC"},
      {file("version.json", "{\"version\": 2}"), "UNSUPPORTED_VERSION"},
      {file("big.json", std::string(100U << 20U, ' ')), "TOO_LARGE"},
  };
  for (const auto& [source, code] : cases) {
    const Ran ran = plumbline({"apply", "--yes", source});
    EXPECT_EQ(ran.status, 1) << source;
    EXPECT_NE(ran.err.find(std::string(code) + ": "), std::string::npos) << source << "\n"
                                                                         << ran.err;
    std::filesystem::remove(source == "/dev/zero" ? path("none") : source);
  }
}

TEST_F(ProgramTest, PlansAppliesAndThenHasNothingToDo) {
  const std::string spec = file("a.json", blackhole);
  Ran ran = plumbline({"plan", "--detailed-exitcode", spec});
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_NE(ran.out.find("+ route inet main 10.9.0.0/16"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Plan: 1 to create, 0 to update, 0 to replace, 0 to delete."),
            std::string::npos);
  EXPECT_EQ(ip("route show"), "") << "plan changed something";

  ran = plumbline({"apply", "--yes", spec});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");

  ran = plumbline({"plan", "--detailed-exitcode", spec});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "No changes. The host matches the spec.\n");
  EXPECT_EQ(
      parsed(plumbline({"apply", "--yes", "--format", "json", spec})).at("result").as_string(),
      "unchanged");
}

TEST_F(ProgramTest, PrintsOneDocumentWithJson) {
  const std::string spec = file("a.json", blackhole);
  const json::value plan = parsed(plumbline({"--format", "json", "plan", spec}));
  EXPECT_EQ(plan.at("version").as_int64(), 1);
  EXPECT_EQ(plan.at("summary").at("create").as_int64(), 1);
  const json::value& step = plan.at("steps").at(0);
  EXPECT_EQ(step.at("action").as_string(), "create");
  EXPECT_EQ(step.at("kind").as_string(), "route");
  EXPECT_EQ(step.at("key").as_string(), "route inet main 10.9.0.0/16");
  EXPECT_EQ(step.at("why").as_string(), "new");
  EXPECT_EQ(step.at("disrupts").as_string(), "nothing");
  EXPECT_TRUE(step.at("before").is_null());
  EXPECT_EQ(step.at("after").at("type").as_string(), "blackhole");
  EXPECT_TRUE(step.at("origin").as_string().ends_with("a.json:1:27"));
  const json::value applied = parsed(plumbline({"apply", "--yes", spec, "--format=json"}));
  EXPECT_EQ(applied.at("result").as_string(), "applied");
  EXPECT_EQ(applied.at("steps").at(0).at("result").as_string(), "done");
}

TEST_F(ProgramTest, WithoutATerminalWantsYes) {
  const Ran ran = plumbline({"apply", file("a.json", blackhole)});
  EXPECT_EQ(ran.status, 64);
  EXPECT_EQ(ip("route show"), "");
  EXPECT_EQ(plumbline({"destroy"}).status, 64);
}

TEST_F(ProgramTest, RefusesWhatWouldRemoveEverything) {
  ASSERT_EQ(plumbline({"apply", "--yes", file("a.json", blackhole)}).status, 0);
  const std::string nothing = file("b.json", "{\"version\": 1}");
  const Ran ran = plumbline({"apply", "--yes", nothing});
  EXPECT_EQ(ran.status, 4);
  EXPECT_NE(ran.err.find("--allow-empty"), std::string::npos) << ran.err;
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
  EXPECT_EQ(plumbline({"apply", "--yes", "--allow-empty", nothing}).status, 0);
  EXPECT_EQ(ip("route show"), "");
}

TEST_F(ProgramTest, RefusesAForeignObjectInTheWayAndNamesIt) {
  ip("route add unreachable 10.9.0.0/16 proto bgp");
  const std::string spec = file("a.json", blackhole);
  for (const char* verb : {"plan", "apply"}) {
    std::vector<std::string> arguments{verb, spec};
    if (std::string(verb) == "apply") arguments.emplace_back("--yes");
    const Ran ran = plumbline(arguments);
    EXPECT_EQ(ran.status, 4) << verb;
    EXPECT_NE(ran.err.find("FOREIGN_CONFLICT: "), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("route inet main 10.9.0.0/16"), std::string::npos) << ran.err;
  }
  const json::value refused = parsed(plumbline({"apply", "--yes", "--format", "json", spec}));
  EXPECT_EQ(refused.at("result").as_string(), "refused");
  EXPECT_EQ(refused.at("errors").at(0).at("code").as_string(), "FOREIGN_CONFLICT");
  EXPECT_EQ(ip("route show"), "unreachable 10.9.0.0/16 proto bgp \n");
}

TEST_F(ProgramTest, IsContentWithAForeignObjectThatIsAsWanted) {
  ip("route add blackhole 10.9.0.0/16 proto bgp");
  const Ran ran = plumbline({"apply", "--yes", file("a.json", blackhole)});
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.out.find("FOREIGN_EQUAL"), std::string::npos) << ran.out;
  EXPECT_EQ(plumbline({"destroy", "--yes"}).status, 0);
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto bgp \n");
}

TEST_F(ProgramTest, BlocksWhatCannotBeReachedAndDoesTheRest) {
  const Ran ran = plumbline({"apply", "--yes", "-"},
                            R"({"version": 1, "links": {"eth9": {"kind": "physical"}},
                               "routes": [{"to": "10.9.0.0/16", "type": "blackhole"},
                                          {"to": "10.8.0.0/16", "dev": "eth9"}]})");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("link eth9"), std::string::npos) << ran.out;
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
}

TEST_F(ProgramTest, ShowsWhatIsOursAsASpecThatPlansEmpty) {
  bring_up_loopback();
  const std::string spec = file("a.json", R"({"version": 1,
    "links": {"br0": {"kind": "bridge", "mtu": 1400, "addresses": ["10.1.0.1/24", "fd00:1::1/64"]},
              "tap1": {"kind": "tap", "master": "br0", "port": {"isolated": true}}},
    "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}, {"to": "10.8.0.0/16", "via": "10.1.0.9", "metric": 5}],
    "rules": [{"priority": 1000, "from": "10.1.0.0/24", "table": 100}],
    "sysctls": {"net.ipv4.ip_forward": 1},
    "iptables": {"filter": {"chains": {"APP": {"rules": ["-p tcp --dport 22 -j ACCEPT"]}},
                            "shared": {"FORWARD": {"insert": ["-i br0 -j APP"]}}}}})");
  ASSERT_EQ(plumbline({"apply", "--yes", spec}).status, 0);
  ip("route add unreachable 10.77.0.0/16 proto bgp");
  const Ran shown = plumbline({"show"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(shown.out.find("10.77.0.0"), std::string::npos) << "not ours";
  EXPECT_NE(plumbline({"show", "--all"}).out.find("10.77.0.0"), std::string::npos);
  const Ran again = plumbline({"plan", file("shown.json", shown.out)});
  EXPECT_EQ(again.out, "No changes. The host matches the spec.\n") << shown.out << again.err;
}

TEST_F(ProgramTest, PrintsUtf8WhateverOthersCallTheirThings) {
  ip("link add e\xff type bridge");
  ip("link add f\xc2\x9bx type bridge");
  ip("link add br0 type bridge");
  ip("link set br0 alias f\xc2\x9bx");
  const std::string bad = file("e\xff.json", "{");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"show", "--all"},
                                             {"--format", "json", "show", "--all"},
                                             {"--format", "json", "validate", bad},
                                             {"--format", "json", "plan", bad}}) {
    const Ran ran = plumbline(arguments);
    parsed(ran);
    const bool in_document = ran.out.find("e\\\\xff") != std::string::npos;
    EXPECT_TRUE(in_document || ran.err.find("left out: link e\\xff: ") != std::string::npos)
        << ran.out << ran.err;
  }
  const Ran shown = plumbline({"show", "--all"});
  EXPECT_NE(shown.out.find("\"f\\u009bx\""), std::string::npos) << shown.out;
}

TEST_F(ProgramTest, ActsOnTheNamespaceItIsTold) {
  const Ran bad = plumbline({"--netns", "no-such-namespace", "plan", file("a.json", blackhole)});
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.err.find("no-such-namespace"), std::string::npos) << bad.err;
  const std::string here = "/proc/" + std::to_string(getpid()) + "/ns/net";
  ASSERT_EQ(
      run({"unshare", "--net", PLUMBLINE_BINARY, "--netns", here, "apply", "--yes", path("a.json")})
          .status,
      0);
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
}

// ---- guests -------------------------------------------------------------------------------------

std::string network(const std::string& vms) {
  return R"({"version": 1, "networks": {"svbr0": {"subnet": "10.7.0.0/24", "uplink": "up0",
             "vms": {)" +
         vms + "}}}}";
}

/// The addresses by the VMs' ids, as `vms` lists them.
std::map<std::string, std::string> addresses(const json::value& guests) {
  std::map<std::string, std::string> found;
  for (const json::value& guest : guests.as_array()) {
    found[guest.at("vm").as_string().c_str()] = guest.at("ip").as_string();
  }
  return found;
}

class GuestsTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (IsSkipped()) return;
    if (access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun for TAPs";
  }

  /// Applies a network of these VMs; what the report says they are assigned.
  json::value assignments(const std::string& vms) {
    const std::string spec = file("network.json", network(vms));
    const Ran ran = plumbline({"--format", "json", "apply", "--yes", spec});
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    const Ran again = plumbline({"plan", spec});
    EXPECT_NE(again.out.find("No changes."), std::string::npos) << again.out << again.err;
    return parsed(ran).at("assignments");
  }
  json::value listed() { return parsed(plumbline({"--format", "json", "vms"})); }
};

TEST_F(GuestsTest, AreListedWithWhatStartsThem) {
  const json::value assigned = assignments(R"("b": {}, "a": {})");
  EXPECT_EQ(listed(), assigned);
  ASSERT_EQ(assigned.as_array().size(), 2U);
  EXPECT_EQ(assigned.at(1),
            (json::value{{"network", "svbr0"},
                         {"vm", "b"},
                         {"interface", "eth0"},
                         {"tap", "svbeth0"},
                         {"ip", "10.7.0.2"},
                         {"gateway", "10.7.0.1"},
                         {"netmask", "255.255.255.0"},
                         {"mac", assigned.at(1).at("mac")},
                         {"bootArgs", "ip=10.7.0.2::10.7.0.1:255.255.255.0::eth0:off"}}));
  const Ran text = plumbline({"vms"});
  EXPECT_NE(text.out.find("svbeth0"), std::string::npos) << text.out;
  const Ran none = plumbline({"--format", "json", "vms", "--network", "br9"});
  EXPECT_EQ(parsed(none).as_array().size(), 0U);
  EXPECT_NE(none.err.find("no guest of a network 'br9'"), std::string::npos) << none.err;
  EXPECT_EQ(plumbline({"vms", "--network", "svbr0"}).err, "");
}

TEST_F(GuestsTest, KeepTheirAddressesWhateverComesAndGoes) {
  assignments(R"("a": {}, "b": {}, "c": {})");
  const auto now = addresses(assignments(R"("new": {}, "c": {}, "b": {})"));
  const std::map<std::string, std::string> wanted{
      {"new", "10.7.0.2"}, {"b", "10.7.0.3"}, {"c", "10.7.0.4"}};
  EXPECT_EQ(now, wanted);
}

TEST_F(GuestsTest, KeepTheirAddressesWhenTheirTapIsDeleted) {
  assignments(R"("a": {}, "b": {})");
  ASSERT_EQ(run({"ip", "link", "delete", "svbeth0"}).status, 0);
  EXPECT_EQ(listed().as_array().size(), 1U);
  const auto now = addresses(assignments(R"("new": {}, "b": {}, "a": {})"));
  const std::map<std::string, std::string> wanted{
      {"a", "10.7.0.2"}, {"b", "10.7.0.3"}, {"new", "10.7.0.4"}};
  EXPECT_EQ(now, wanted);
}

TEST_F(GuestsTest, ArePinnedByWhatVmsPrints) {
  const json::value before = assignments(R"("b": {"interfaces": {"y": {}, "x": {}}}, "a": {})");
  const std::string pinned = file("pin/b.json", plumbline({"vms", "--pin"}).out);
  file("pin/a.json",
       R"({"version": 1, "networks": {"svbr0": {"subnet": "10.7.0.0/24", "uplink": "up0"}}})");
  ASSERT_EQ(plumbline({"destroy", "--yes"}).status, 0);
  EXPECT_EQ(listed().as_array().size(), 0U);
  const Ran ran = plumbline({"--format", "json", "apply", "--yes", path("pin")});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_EQ(parsed(ran).at("assignments"), before) << ran.out;
}

TEST_F(GuestsTest, AreNamedInPlansWithTheirNetwork) {
  const std::string spec = file("network.json", network("\"a\": {}"));
  const Ran text = plumbline({"plan", spec});
  EXPECT_NE(text.out.find("network svbr0"), std::string::npos) << text.out << text.err;
  EXPECT_NE(text.out.find("svbr0/a/eth0,10.7.0.2/24"), std::string::npos) << text.out;
  const json::value plan = parsed(plumbline({"--format", "json", "plan", spec}));
  EXPECT_EQ(plan.at("steps").at(0).at("networks"), json::value({"svbr0"}));
}

TEST_F(ProgramTest, TellsItsVersion) {
  const Ran ran = plumbline({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(ran.out.starts_with("plumbline 0.")) << ran.out;
}

}  // namespace
}  // namespace plumbline::test
