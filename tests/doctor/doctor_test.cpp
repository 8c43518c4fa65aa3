// What the doctor finds, on the real kernel in a namespace of the test's own; the files of the host
// are those of a directory made for it.

#include "plumbline/doctor/doctor.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "plumbline/engine/lock.hpp"
#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/namespace.hpp"
#include "tests/support/covered.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::doctor {
namespace {

namespace fs = std::filesystem;

class DoctorTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = fs::temp_directory_path() / "doctor-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "run");
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
    NetnsTest::TearDown();
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void link(const std::string& target, const std::string& path) const {
    fs::create_directories((root_ / path).parent_path());
    fs::create_symlink(target, root_ / path);
  }
  void start(const std::string& unit) const {
    fs::create_directories(root_ / "sys/fs/cgroup/system.slice" / unit);
  }

  [[nodiscard]] std::vector<Finding> found(io::Backend backend = io::Backend::automatic) const {
    return examine({backend, root_});
  }
  /// The only finding of that code; an empty one when there is none.
  [[nodiscard]] Finding the(std::string_view code,
                            io::Backend backend = io::Backend::automatic) const {
    Finding only;
    for (Finding& finding : found(backend)) {
      if (finding.code != code) continue;
      EXPECT_TRUE(only.code.empty()) << code << " is there twice";
      only = std::move(finding);
    }
    return only;
  }

  fs::path root_;
};

bool has(const Finding& finding, const std::string& words) {
  return finding.message.find(words) != std::string::npos;
}

TEST_F(DoctorTest, FindsTheHostAndSaysItOnce) {
  for (const char* code :
       {"KERNEL", "CAPABILITIES", "SCRATCH_NAMESPACE", "SYSCTLS", "TAP", "IPV6", "RUN_DIRECTORY",
        "LOCK", "IPTABLES", "EBTABLES", "NF_TABLES", "LEGACY_TABLES", "RULES", "IPSET", "BPF_MATCH",
        "CHECKSUM_TARGET", "PKTTYPE_MATCH", "NETWORKD", "NEIGHBOURS"}) {
    const Finding finding = the(code);
    EXPECT_EQ(finding.code, code);
    EXPECT_FALSE(finding.message.empty()) << code;
    EXPECT_TRUE(finding.level == Level::ok || !finding.advice.empty()) << finding.message;
  }
  EXPECT_EQ(the("SCRATCH_NAMESPACE").level, Level::ok);
  EXPECT_EQ(the("TAP").level, Level::warning);
  EXPECT_EQ(the("NETWORKD").level, Level::ok);
}

TEST_F(DoctorTest, ChangesNothing) {
  io::NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  const auto generation = io::nft_generation(nfnetlink);
  static_cast<void>(found());
  EXPECT_EQ(io::nft_generation(nfnetlink), generation);
  EXPECT_TRUE(io::nft_tables(nfnetlink).empty());
  EXPECT_TRUE(io::legacy_tables(Family::inet).empty());
  EXPECT_TRUE(io::legacy_tables(Family::inet6).empty());
  EXPECT_TRUE(fs::is_empty(root_ / "run"));
}

TEST_F(DoctorTest, SaysThatIpv6IsOff) {
  std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
  EXPECT_TRUE(has(the("IPV6"), "net.ipv6.conf.default.disable_ipv6 is set")) << the("IPV6").message;
  EXPECT_EQ(the("IPV6").level, Level::warning);
}

TEST_F(DoctorTest, NamesWhoHoldsTheLockAndDoesNotTakeIt) {
  EXPECT_TRUE(has(the("LOCK"), "no plumbline"));
  const fs::path directory = root_ / "run/plumbline" / std::to_string(io::namespace_cookie());
  fs::create_directories(directory);
  int holder = 0;
  {
    const auto lock = engine::Lock::take(directory, holder);
    ASSERT_TRUE(lock);
    EXPECT_EQ(the("LOCK").message, "held by pid " + std::to_string(getpid()));
  }
  EXPECT_TRUE(has(the("LOCK"), "no plumbline"));
}

TEST_F(DoctorTest, SaysWhichBackendHoldsRulesAndWhatToDo) {
  for (const char* program : {"iptables-nft", "iptables-legacy", "ip6tables-legacy"}) {
    if (test::run({program, "-S"}).status != 0) GTEST_SKIP() << program << " does not work here";
  }
  EXPECT_EQ(the("RULES", io::Backend::nft).level, Level::ok);
  test::must_run({"ip6tables-legacy", "-t", "nat", "-N", "OLD"});
  const Finding other = the("RULES", io::Backend::nft);
  EXPECT_EQ(other.level, Level::warning);
  EXPECT_TRUE(has(other, "legacy alone holds rules: ip6 nat (1 chain). plumbline takes nft"))
      << other.message;
  EXPECT_EQ(the("RULES", io::Backend::legacy).level, Level::ok);

  test::must_run({"iptables-nft", "-A", "INPUT", "-j", "ACCEPT"});
  const Finding both = the("RULES", io::Backend::nft);
  EXPECT_EQ(both.level, Level::warning);
  EXPECT_TRUE(
      has(both, "both backends hold rules: nft ip filter (1 rule); legacy ip6 nat (1 chain)"))
      << both.message;
  EXPECT_TRUE(has(both, "plumbline looks at those of nft alone"));
  EXPECT_NE(both.advice.find("iptables-legacy-save, iptables-nft-restore"), std::string::npos);
  EXPECT_TRUE(has(the("RULES", io::Backend::legacy), "looks at those of legacy alone"));
}

TEST_F(DoctorTest, SaysWhichBackendIsTakenAndWhy) {
  if (test::run({"iptables", "-V"}).status != 0) GTEST_SKIP() << "iptables is not installed";
  const bool nft = test::run({"iptables", "-V"}).output.find("nf_tables") != std::string::npos;
  EXPECT_EQ(the("BACKEND").message,
            std::string(nft ? "nft" : "legacy") + ", as the installed iptables is");
  EXPECT_TRUE(has(the("BACKEND", io::Backend::nft), "nft, as --iptables says"));
  EXPECT_TRUE(has(the("IPTABLES"), nft ? " is nft" : " is legacy")) << the("IPTABLES").message;
}

TEST_F(DoctorTest, SaysThatEbtablesMayHoldRulesOfLegacy) {
  fs::create_directories(root_ / "module");
  {
    const test::Covered modules(root_ / "module", "/sys/module");
    EXPECT_EQ(the("EBTABLES_LEGACY").code, "");
    fs::create_directories(root_ / "module/ebtable_filter");
    fs::create_directories(root_ / "module/ebtable_nat");
    const Finding finding = the("EBTABLES_LEGACY");
    EXPECT_EQ(finding.level, Level::warning);
    EXPECT_TRUE(has(finding, "loaded: ebtable_filter, ebtable_nat.")) << finding.message;
  }
}

TEST_F(DoctorTest, NamesForeignTablesAndWhatIptablesDoesNotShow) {
  if (test::run({"nft", "--version"}).status != 0) GTEST_SKIP() << "nft is not installed";
  test::must_run({"nft", "-f", "-"},
                 "add table inet firewalld\n"
                 "add chain inet firewalld input { type filter hook input priority 10; }\n"
                 "add rule inet firewalld input ct state new accept\n"
                 "add table ip filter\n"
                 "add chain ip filter MINE\n"
                 "add rule ip filter MINE ct state new accept\n");
  const Finding foreign = the("FOREIGN_TABLE");
  EXPECT_EQ(foreign.level, Level::warning);
  EXPECT_TRUE(has(foreign, "table inet firewalld: ")) << foreign.message;
  const Finding incompatible = the("INCOMPATIBLE");
  EXPECT_EQ(incompatible.level, Level::warning);
  EXPECT_TRUE(has(incompatible, "table ip filter holds")) << incompatible.message;
  EXPECT_TRUE(has(incompatible, "ct in chain MINE, handle ")) << incompatible.message;
  test::must_run({"nft", "flush chain inet firewalld input"});
  EXPECT_EQ(the("FOREIGN_TABLE").level, Level::ok);
}

TEST_F(DoctorTest, NetworkdIsAProblemOnlyWhereItRunsOrWill) {
  EXPECT_EQ(the("NETWORKD").level, Level::ok);
  EXPECT_EQ(the("NETWORKD_ROUTES").code, "");
  start("systemd-networkd.service");
  EXPECT_EQ(the("NETWORKD_ROUTES").level, Level::problem);
  EXPECT_EQ(the("NETWORKD_RULES").level, Level::problem);
  EXPECT_EQ(the("NETWORKD_NEXTHOPS").level, Level::warning);
  EXPECT_TRUE(has(the("NETWORKD_RULES"), "ManageForeignRoutingPolicyRules= is yes, by default"));
  fs::remove_all(root_ / "sys");
  EXPECT_EQ(the("NETWORKD").level, Level::ok);
  link("/usr/lib/systemd/system/systemd-networkd.service",
       "etc/systemd/system/multi-user.target.wants/systemd-networkd.service");
  EXPECT_TRUE(has(the("NETWORKD_ROUTES"), "systemd-networkd is enabled, and ManageForeignRoutes="));
}

TEST_F(DoctorTest, ReadsTheSettingsOfNetworkdAsSystemdDoes) {
  start("systemd-networkd.service");
  const auto set_in = [&](const std::string& file, bool on) {
    const Finding finding = the("NETWORKD_ROUTES");
    EXPECT_EQ(finding.level, on ? Level::problem : Level::ok) << finding.message;
    const std::string words =
        std::string(on ? "is yes" : "is no") + ", in " + (root_ / file).string();
    EXPECT_TRUE(has(finding, words)) << finding.message;
  };
  write("usr/lib/systemd/networkd.conf", "[Network]\nManageForeignRoutes=no\n");
  set_in("usr/lib/systemd/networkd.conf", false);
  write("etc/systemd/networkd.conf",
        "[Network]\n#ManageForeignRoutes=no\n ManageForeignRoutes = On\n");
  set_in("etc/systemd/networkd.conf", true);
  // A drop-in has more to say than the main file, the last by name the most.
  write("usr/lib/systemd/networkd.conf.d/20-no.conf",
        "[Network]\nManageForeignRoutes=\\\n  false\n");
  set_in("usr/lib/systemd/networkd.conf.d/20-no.conf", false);
  write("etc/systemd/networkd.conf.d/10-yes.conf", "[Network]\nManageForeignRoutes=yes\n");
  set_in("usr/lib/systemd/networkd.conf.d/20-no.conf", false);
  write("run/systemd/networkd.conf.d/30-odd.conf",
        "[DHCPv4]\nManageForeignRoutes=yes\n[Network]\nManageForeignRoutes=perhaps\n"
        "ManageForeignRoutingPolicyRules=no\n");
  set_in("usr/lib/systemd/networkd.conf.d/20-no.conf", false);
  EXPECT_EQ(the("NETWORKD_RULES").level, Level::ok);
  write("run/systemd/networkd.conf.d/30-odd.txt", "[Network]\nManageForeignRoutes=yes\n");
  set_in("usr/lib/systemd/networkd.conf.d/20-no.conf", false);
  // Of two with one name the first directory's counts, and may be nothing.
  link("/dev/null", "etc/systemd/networkd.conf.d/20-no.conf");
  set_in("etc/systemd/networkd.conf.d/10-yes.conf", true);
}

TEST_F(DoctorTest, KnowsItsNeighbours) {
  EXPECT_EQ(the("NEIGHBOURS").level, Level::ok);
  start("NetworkManager.service");
  start("firewalld.service");
  start("docker.service");
  write("etc/ufw/ufw.conf", "# on or off\nENABLED=yes\n");
  EXPECT_EQ(the("NETWORK_MANAGER").level, Level::ok);
  EXPECT_EQ(the("FIREWALLD").level, Level::warning);
  EXPECT_EQ(the("DOCKER").message, "Docker runs");
  EXPECT_EQ(the("UFW").level, Level::warning);
  EXPECT_EQ(the("NEIGHBOURS").code, "");
  // They work in the namespace of process 1, which may be another one than ours.
  link("/proc/thread-self/ns/net", "proc/1/ns/net");
  EXPECT_EQ(the("FIREWALLD").level, Level::warning);
  fs::remove_all(root_ / "proc");
  write("proc/1/ns/net", "");
  EXPECT_EQ(the("FIREWALLD").code, "");
  EXPECT_TRUE(has(the("NEIGHBOURS"), "no say"));
}

}  // namespace
}  // namespace plumbline::doctor
