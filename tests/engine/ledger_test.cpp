// What is kept on disk: it comes back as it went in, whatever others had set, and a file that is
// broken is a warning.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::engine {
namespace {

using ::testing::HasSubstr;

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "ledger-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  [[nodiscard]] std::filesystem::path file() const { return directory / "ledger.json"; }

  std::filesystem::path directory;
};

TEST_F(LedgerTest, KeepsOfALinkWhatNoSpecMaySay) {
  Link link;
  link.name = *IfName::parse("lo");
  link.mtu = 65536;
  link.mac = Mac::parse("00:00:00:00:00:00");
  link.alias = std::string("plumbline:\x01 \xff \xc3\xa9");
  link.master = IfName::parse("\xc3(");
  link.tx_queue_length = 4294967295;
  link.port.emplace().cost = 65535;
  Ledger ledger;
  ledger.memory.earlier.of<Link>().push_back(link);
  link.name = *IfName::parse("eth0");
  link.master = in_no_bridge;
  ledger.memory.earlier.of<Link>().insert(ledger.memory.earlier.of<Link>().begin(), link);
  write_ledger(directory, ledger);
  std::string warning;
  EXPECT_EQ(read_ledger(directory, warning), ledger);
  EXPECT_EQ(warning, "");
}

TEST_F(LedgerTest, KeepsWhoIsAssignedWhat) {
  Ledger ledger;
  ledger.flows_to_flush = {"br0", "br9"};
  for (const char* tap : {"svaeth0", "svbeth0"}) {
    const std::string text =
        std::string("br0/") + tap[2] + "/eth0,10.0.0.2/24,02:00:00:00:00:10,e0";
    ledger.assignments.push_back(*spec::parse_assignment(text, *IfName::parse(tap)));
  }
  write_ledger(directory, ledger);
  std::string warning;
  EXPECT_EQ(read_ledger(directory, warning), ledger);
  EXPECT_EQ(warning, "");
}

TEST_F(LedgerTest, KeepsWhatWasChangedAlongAndOfWhichObject) {
  Ledger ledger;
  memory::Memory& memory = ledger.memory;
  memory.earlier.of<Sysctl>() = {{"net/ipv4/conf/\xff\xc3/forwarding", "0"},
                                 {"net/ipv4/ip_forward", "0"}};
  memory.followed = {{"net/ipv4/conf/\xff\xc3/forwarding", {"1", true}}};
  memory.refused = {{"sysctl net/ipv4/conf/\xff\xc3/forwarding", "another kernel"}};
  memory.indexes = {{*IfName::parse("eth0"), 5}, {*IfName::parse("\xff"), 2147483647}};
  memory.port_of = {{*IfName::parse("eth0"), 7}};
  memory.ports[*IfName::parse("eth0")].cost = 50;
  memory.chains = {{{Family::inet, "filter", "INPUT"}, "3/1"}, {{Family::inet6, "nat", "X"}, ""}};
  write_ledger(directory, ledger);
  std::string warning;
  EXPECT_EQ(read_ledger(directory, warning), ledger);
  EXPECT_EQ(warning, "");
}

TEST_F(LedgerTest, ReadsWhatOlderVersionsWrote) {
  std::ofstream(file()) << R"({"earlier": {"links": {"eth0": {"kind": "physical", "mtu": 1500}},
      "sysctls": {"net/ipv4/ip_forward": "0", "net/ipv4/conf/eth0/forwarding": "1"},
      "policies": [{"family": "inet", "table": "filter", "chain": "FORWARD", "policy": "ACCEPT"}]},
      "applied": {"sysctl net.ipv4.ip_forward": "17"},
      "along": {"net/ipv4/ip_forward": {"net/ipv4/conf/all/accept_redirects": "0",
        "net/ipv4/conf/eth0/forwarding": "0", "net/ipv4/conf/all/forwarding": "0"}},
      "tables_made": [], "assignments": {}, "unended": []})";
  std::string warning;
  const memory::Memory memory = read_ledger(directory, warning).memory;
  EXPECT_EQ(warning, "");
  const std::vector<Sysctl> sysctls{{"net/ipv4/conf/all/accept_redirects", "0"},
                                    {"net/ipv4/conf/eth0/forwarding", "1"},
                                    {"net/ipv4/ip_forward", "0"}};
  EXPECT_EQ(memory.earlier.of<Sysctl>(), sysctls);
  EXPECT_EQ(memory.earlier.of<Link>().at(0).mtu, 1500U);
  EXPECT_EQ(memory.earlier.of<SharedChain>().at(0).policy, "ACCEPT");
  const std::map<std::string, memory::Followed> followed{
      {"net/ipv4/conf/all/accept_redirects", {"", false}},
      {"net/ipv4/conf/eth0/forwarding", {"", true}}};
  EXPECT_EQ(memory.followed, followed);
  EXPECT_EQ(memory.applied.size(), 1U);
}

TEST_F(LedgerTest, RemembersWhatWasThereBeforeUsAndNotWhatDrifted) {
  Plan plan;
  State want;
  for (const auto& [path, why] :
       {std::pair{"net/ipv4/a", Why::added}, std::pair{"net/ipv4/b", Why::changed},
        std::pair{"net/ipv4/c", Why::drifted}, std::pair{"net/ipv4/d", Why::unwanted}}) {
    Step step;
    step.action = Action::update;
    step.key = Sysctl::Key{path};
    step.why = why;
    step.before = Sysctl{path, "0"};
    step.after = Sysctl{path, "1"};
    plan.steps.push_back(step);
    want.of<Sysctl>().push_back({path, "1"});
  }
  memory::Memory memory;
  memory.earlier.of<Sysctl>() = {{"net/ipv4/b", "5"}};
  remember(memory, plan, want, {}, LinkNames());
  const std::vector<Sysctl> expected{{"net/ipv4/a", "0"}, {"net/ipv4/b", "5"}};
  EXPECT_EQ(memory.earlier.of<Sysctl>(), expected);
}

TEST_F(LedgerTest, IsEmptyWithoutAFile) {
  std::string warning;
  EXPECT_EQ(read_ledger(directory, warning), Ledger());
  EXPECT_EQ(warning, "");
}

TEST_F(LedgerTest, IsEmptyAndSaysSoWhenTheFileIsBroken) {
  for (const char* text : {"", " // nothing", "{", "[]", "null", "\xff"}) {
    std::ofstream(file()) << text;
    std::string warning;
    EXPECT_EQ(read_ledger(directory, warning), Ledger()) << text;
    EXPECT_THAT(warning, HasSubstr("ledger.json")) << text;
  }
}

TEST_F(LedgerTest, IsEmptyAndSaysSoWhenItIsNoFile) {
  const auto warned = [&] {
    std::string warning;
    EXPECT_EQ(read_ledger(directory, warning), Ledger());
    return warning;
  };
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  EXPECT_THAT(warned(), HasSubstr("ledger.json"));
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_THAT(warned(), HasSubstr("ledger.json"));
}

}  // namespace
}  // namespace plumbline::engine
