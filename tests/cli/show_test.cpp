// What `show` prints can be a spec, whatever is on the host; what a spec cannot say is named.
// Drives the real binary in a network namespace of the test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ShowTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    std::string name = std::filesystem::temp_directory_path() / "plumbline-show-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    NetnsTest::TearDown();
  }

  /// Standard output to the file of that name, standard error as the result.
  std::string show(const std::string& to, const std::vector<std::string>& options) {
    std::vector<std::string> command{"sh", "-c", "exec \"$@\" >\"$0\"", path(to), PLUMBLINE_BINARY};
    command.emplace_back("show");
    command.insert(command.end(), options.begin(), options.end());
    const CommandResult shown = run(command);
    EXPECT_EQ(shown.status, 0);
    return shown.output;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void expect_valid(const std::string& name) const {
    const CommandResult valid = run({PLUMBLINE_BINARY, "validate", path(name)});
    EXPECT_EQ(valid.status, 0) << valid.output << text(name);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

 private:
  std::filesystem::path directory_;
};

/// The process in a network namespace of its own, for a minute.
std::string process_elsewhere() {
  const std::string pid =
      must_run({"sh", "-c", "unshare --net sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1' &"});
  return pid.substr(0, pid.find('\n'));
}

/// Of everything that a host may have and a spec cannot say, as far as every kernel has it.
void furnish(const std::string& elsewhere) {
  for (const std::string& words :
       std::vector<std::string>{"link add br0 type bridge",
                                "link set br0 up",
                                "tuntap add tap0 mode tap",
                                "link set tap0 master br0 up",
                                "tuntap add tun0 mode tun",
                                "link add a0 type veth peer name a1",
                                "link add v0 type veth peer name far netns " + elsewhere,
                                "link set a0 up",
                                "link set a1 up",
                                "address add 10.0.0.1/24 dev a0",
                                "address add 10.5.0.1 peer 10.5.0.2/32 dev br0",
                                "address add 10.6.0.1/24 dev br0 valid_lft 900 preferred_lft 900",
                                "nexthop add id 7 via 10.0.0.2 dev a0",
                                "route add 10.9.0.0/16 nhid 7",
                                "route add throw 10.10.0.0/16 table 99",
                                "route add 10.11.0.0/16 via 10.0.0.2 window 1000",
                                "route add 10.12.0.0/16 via 10.0.0.2 proto bird",
                                "-6 route add 2001:db8:7::/64 dev a0",
                                "-6 route append 2001:db8:7::/64 dev br0",
                                "rule add priority 95 from 10.2.0.0/16 table 99"}) {
    ip(words);
  }
  for (const char* rule :
       {"-N THEIRS", "-A THEIRS -p tcp --dport 22 -j DROP", "-A FORWARD -j THEIRS"}) {
    must_run({"sh", "-c", "iptables " + std::string(rule)});
  }
}

TEST_F(ShowTest, PrintsOfAnyHostWhatIsValidAndNamesTheRest) {
  bring_up_loopback();
  const std::string elsewhere = process_elsewhere();
  furnish(elsewhere);
  const std::string told = show("all.json", {"--all"});
  must_run({"kill", elsewhere});
  expect_valid("all.json");
  const std::string document = text("all.json");
  for (const char* said : {"\"br0\"", "\"tap0\"", "\"10.0.0.1/24\"", "\"10.12.0.0/16\"",
                           "\"2001:db8:7::/64\"", "\"10.2.0.0/16\"", "\"THEIRS\""}) {
    EXPECT_THAT(document, HasSubstr(said));
  }
  for (const char* unsaid : {"fe80::", "10.10.0.0", "10.11.0.0", "10.9.0.0", "10.5.0.1", "10.6.0.1",
                             "ff00::", "65536", "00:00:00:00:00:00", "32766"}) {
    EXPECT_THAT(document, Not(HasSubstr(unsaid)));
  }
  for (const char* line :
       {"left out: link lo: its MTU, 65536, is more than a spec can say\n",
        "left out: link tun0: a spec cannot say tun; here as physical\n",
        "left out: link v0: its peer is in another network namespace",
        "left out: address br0 10.5.0.1 peer 10.5.0.2/32: a spec cannot say the peer",
        "left out: address br0 10.6.0.1/24: it has a lifetime",
        "left out: route inet 99 10.10.0.0/16: a spec cannot say its type\n",
        "left out: route inet main 10.9.0.0/16: it says more than a spec can\n",
        "left out: route inet main 10.11.0.0/16: it says more than a spec can\n",
        "left out: route inet6 main 2001:db8:7::/64: there are several, and a spec can say one\n",
        "left out: shared inet filter FORWARD: the rules of others in it\n",
        ": the kernel makes them by itself\n"}) {
    EXPECT_THAT(told, HasSubstr(line));
  }
  EXPECT_THAT(told, Not(HasSubstr("left out: /"))) << "refused by load() alone";
  EXPECT_EQ(show("quiet.json", {"--all", "--quiet"}), "");
  EXPECT_EQ(show("ours.json", {}), "") << "nothing is ours";
}

TEST_F(ShowTest, ChainsOfOthersThatWeHaveRulesInAreShownOnce) {
  must_run({"iptables", "-N", "THEIRS"});
  must_run({"iptables", "-A", "THEIRS", "-j", "RETURN"});
  const std::string spec = R"({"version": 1, "iptables": {"filter": {"shared": {
      "THEIRS": {"insert": ["-p udp -j DROP"]}}}}})";
  ASSERT_EQ(run({PLUMBLINE_BINARY, "apply", "--yes", "-"}, spec).status, 0);
  const std::string told = show("all.json", {"--all"});
  expect_valid("all.json");
  EXPECT_THAT(text("all.json"), HasSubstr("-p udp -j DROP"));
  EXPECT_THAT(told, HasSubstr("left out: shared inet filter THEIRS: the rules of others in it\n"));
  EXPECT_EQ(show("ours.json", {}), "");
}

}  // namespace
}  // namespace plumbline::test
