// What cannot be marked is put back once the spec no longer says it, however it came to be set.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

class PutBack : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "plumbline-put-back-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "far0"});
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    NetnsTest::TearDown();
  }

  void apply(const std::string& members) const {
    const std::string file = directory_ / "spec.json";
    std::ofstream(file) << R"({"version": 1, )" << members << "}";
    must_run({PLUMBLINE_BINARY, "apply", "--yes", file});
    EXPECT_EQ(run({PLUMBLINE_BINARY, "plan", "--detailed-exitcode", file}).status, 0);
  }
  static bool is_in(const std::string& bridge) {
    const std::string link = must_run({"ip", "-o", "link", "show", "eth0"});
    return link.find("master " + bridge + " ") != std::string::npos;
  }
  static std::string sysctl(const std::string& name) {
    std::string value;
    std::getline(std::ifstream("/proc/sys/net/ipv4/conf/" + name), value);
    return value;
  }

 private:
  std::filesystem::path directory_;
};

constexpr const char* bridges = R"("br0": {"kind": "bridge"}, "br1": {"kind": "bridge"})";

std::string with_port(const std::string& of) {
  return R"("links": {)" + std::string(bridges) + R"(, "eth0": {"kind": "physical", "master": ")" +
         of + "\"}}";
}

TEST_F(PutBack, AnInterfaceLeavesTheBridgeThatItWasPutInto) {
  apply(with_port("br0"));
  EXPECT_TRUE(is_in("br0"));
  apply(R"("links": {)" + std::string(bridges) + "}");
  EXPECT_FALSE(is_in("br0"));
}

TEST_F(PutBack, AnInterfaceThatWasMovedBetweenBridgesOfOursIsInNoneAgain) {
  apply(with_port("br0"));
  apply(with_port("br1"));
  EXPECT_TRUE(is_in("br1"));
  apply(R"("links": {)" + std::string(bridges) + R"(, "eth0": {"kind": "physical", "mtu": 1400}})");
  EXPECT_FALSE(is_in("br0"));
  EXPECT_FALSE(is_in("br1"));
}

TEST_F(PutBack, AnInterfaceGoesBackToTheBridgeOfSomebodyElse) {
  must_run({"ip", "link", "add", "theirs", "type", "bridge"});
  must_run({"ip", "link", "set", "eth0", "master", "theirs"});
  apply(with_port("br0"));
  EXPECT_TRUE(is_in("br0"));
  apply(R"("links": {)" + std::string(bridges) + "}");
  EXPECT_TRUE(is_in("theirs"));
}

TEST_F(PutBack, AnInterfaceIsFreeAgainWhenItsBridgeGoes) {
  apply(with_port("br0"));
  must_run({PLUMBLINE_BINARY, "destroy", "--yes"});
  EXPECT_FALSE(is_in("br0"));
  EXPECT_NE(run({"ip", "link", "show", "br0"}).status, 0);
}

TEST_F(PutBack, ASysctlOfALinkThatWasMadeAlongWithIt) {
  const std::string link = R"("links": {"br0": {"kind": "bridge"}})";
  apply(link);
  const std::string before = sysctl("br0/rp_filter");
  ASSERT_NE(before, "2");
  must_run({PLUMBLINE_BINARY, "destroy", "--yes"});
  apply(link + R"(, "sysctls": {"net.ipv4.conf.br0.rp_filter": 2})");
  EXPECT_EQ(sysctl("br0/rp_filter"), "2");
  EXPECT_NE(must_run({PLUMBLINE_BINARY, "show"}).find("br0/rp_filter"), std::string::npos);
  apply(link);
  EXPECT_EQ(sysctl("br0/rp_filter"), before);
}

}  // namespace
}  // namespace plumbline::test
