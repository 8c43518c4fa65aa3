// What `plumbline run` makes of every way in which people and orchestrators change files.

#include "tests/daemon/running.hpp"

namespace plumbline::daemon {
namespace {

namespace fs = std::filesystem;

const std::string first = "10.1.0.0/16";
const std::string second = "10.2.0.0/16";

class RunFiles : public RunTest {
 protected:
  /// The spec says `second` instead of `first`: the kernel has to follow.
  static void expect_second() {
    EXPECT_TRUE(soon("the new route", [] { return has_route(second); }));
    EXPECT_FALSE(has_route(first));
  }
  /// Deletes a route that the spec in force wants, and expects it back.
  static void expect_repair_of(const std::string& network) {
    test::ip("route del blackhole " + network);
    EXPECT_TRUE(soon("the repair", [&] { return has_route(network); }));
  }
};

TEST_F(RunFiles, FollowsAnEdit) {
  write(file(), routes({first}));
  start_and_converge();
  EXPECT_TRUE(has_route(first));
  write(file(), routes({second}));
  expect_second();
}

TEST_F(RunFiles, FollowsAFileThatIsRenamedIntoPlace) {
  write(file(), routes({first}));
  start_and_converge();
  for (const std::string& wanted : {second, first, second}) {
    write(directory() / ".host.json.new", routes({wanted}));
    fs::rename(directory() / ".host.json.new", file());
    EXPECT_TRUE(soon("the new route", [&] { return has_route(wanted); }));
  }
  expect_second();
}

TEST_F(RunFiles, FollowsASingleFileThatIsRenamedIntoPlace) {
  write(file(), routes({first}));
  start_and_converge("60s", file());
  write(directory() / "host.json~", routes({second}));
  fs::rename(directory() / "host.json~", file());
  expect_second();
}

/// Whether this kernel makes a tunnel of it or not: what the file lacked is no longer complained
/// of.
TEST_F(RunFiles, FollowsAFileThatTheSpecNames) {
  const fs::path secrets = directory().parent_path() / "secrets";
  fs::create_directories(secrets);
  write(file(), spec(R"("links": {"wg0": {"kind": "wireguard",
      "wireguard": {"privateKeyFile": "../secrets/wg0.key", "peers": {}}}})"));
  start();
  EXPECT_TRUE(soon("the complaint", [&] { return log().find("UNREADABLE_FILE") != log().npos; }));
  EXPECT_EQ(log().find("no longer: "), log().npos);
  write(secrets / "wg0.key", "CCpsZ3Wp1fWCSmJ8sPpQh/tBDNZIYz5jb3HKsXtrGFA=\n");
  EXPECT_TRUE(soon("its end", [&] { return log().find("no longer: ") != log().npos; }));
}

TEST_F(RunFiles, FollowsASymbolicLinkThatIsTurnedElsewhere) {
  const fs::path elsewhere = directory().parent_path() / "elsewhere";
  fs::create_directories(elsewhere);
  write(elsewhere / "a.json", routes({first}));
  write(elsewhere / "b.json", routes({second}));
  fs::create_symlink(elsewhere / "a.json", file());
  start_and_converge();
  fs::create_symlink(elsewhere / "b.json", directory() / ".new");
  fs::rename(directory() / ".new", file());
  expect_second();
  write(elsewhere / "b.json", routes({first}));
  EXPECT_TRUE(soon("an edit behind the link", [] { return has_route(first); }));
}

/// As the kubelet updates a ConfigMap that is mounted as a volume.
TEST_F(RunFiles, FollowsADirectorySwappedBySymbolicLink) {
  for (const auto& [version, network] :
       {std::pair("..1", first), {"..2", second}, {"..3", first}}) {
    fs::create_directories(directory() / version);
    write(directory() / version / "host.json", routes({network}));
  }
  fs::create_directory_symlink("..1", directory() / "..data");
  fs::create_symlink("..data/host.json", file());
  start_and_converge();
  EXPECT_TRUE(has_route(first));
  const auto turn_to = [&](const char* version) {
    fs::create_directory_symlink(version, directory() / "..data_tmp");
    fs::rename(directory() / "..data_tmp", directory() / "..data");
  };
  turn_to("..2");
  expect_second();
  fs::remove_all(directory() / "..1");
  turn_to("..3");
  EXPECT_TRUE(soon("the third version", [] { return has_route(first); }));
}

TEST_F(RunFiles, TakesADropInAndItsRemoval) {
  write(file(), routes({first}));
  start_and_converge();
  write(directory() / "vm.json", routes({second}));
  EXPECT_TRUE(soon("the drop-in", [] { return has_route(second); }));
  fs::remove(directory() / "vm.json");
  EXPECT_TRUE(soon("its removal", [] { return !has_route(second); }));
  EXPECT_TRUE(has_route(first));
}

TEST_F(RunFiles, ADeletedSpecKeepsTheLastGoodOne) {
  write(file(), routes({first}));
  start_and_converge();
  fs::remove(file());
  EXPECT_TRUE(soon("the complaint", [&] { return logged("EMPTY_SPEC"); }));
  expect_repair_of(first);
  EXPECT_EQ(times_logged(" error "), 1) << "said once";
  write(file(), routes({second}));
  expect_second();
  EXPECT_TRUE(soon("that it is over", [&] { return logged("no longer: "); }));
}

TEST_F(RunFiles, ABrokenSpecKeepsTheLastGoodOne) {
  write(file(), routes({first}));
  start_and_converge();
  write(file(), "{ \"version\": 1,\n  \"routes\": [ { \"to\": \"10.0.0.1/8\" } ],\n  \"x\": 1 }\n");
  EXPECT_TRUE(soon("the complaint", [&] { return logged("host.json:3:3: UNKNOWN_KEY"); }));
  EXPECT_TRUE(logged("host.json:2:")) << "every fault with its place";
  expect_repair_of(first);
  expect_repair_of(first);
  EXPECT_EQ(times_logged("error " + file().string() + ":3:3: UNKNOWN_KEY"), 1);
  write(file(), routes({second}));
  expect_second();
}

TEST_F(RunFiles, ARuleThatIptablesRefusesKeepsTheLastGoodOne) {
  if (test::run({"iptables", "-S"}).status != 0) GTEST_SKIP() << "iptables does not work here";
  write(file(), routes({first}));
  start_and_converge();
  write(
      file(),
      spec(
          R"("iptables": { "filter": { "chains": { "C": { "rules": ["-p tcp --dport no-such-port -j ACCEPT"] } } } })"));
  EXPECT_TRUE(soon("the complaint", [&] { return logged("INVALID_IPTABLES_RULE"); }));
  expect_repair_of(first);
  EXPECT_EQ(times_logged(" error "), 1);
}

TEST_F(RunFiles, ASpecThatWouldRemoveEverythingKeepsTheLastGoodOne) {
  write(file(), routes({first}));
  start_and_converge();
  write(file(), routes({}));
  EXPECT_TRUE(soon("the refusal", [&] { return logged(" error "); }));
  EXPECT_TRUE(has_route(first));
  expect_repair_of(first);
  expect_repair_of(first);
}

TEST_F(RunFiles, AForeignObjectInTheWayKeepsTheLastGoodSpec) {
  write(file(), routes({first}));
  start_and_converge();
  test::ip("route add unreachable " + second + " proto 99");
  write(file(), routes({first, second}));
  EXPECT_TRUE(soon("the refusal", [&] { return logged("FOREIGN_CONFLICT"); }));
  expect_repair_of(first);
  EXPECT_EQ(times_logged(" error "), 1);
  test::ip("route del unreachable " + second + " proto 99");
  EXPECT_TRUE(soon("the new route, now that it is free", [] { return has_route(second); }));
}

TEST_F(RunFiles, ASpecThatFailsInTheKernelKeepsTheLastGoodOne) {
  write(file(), routes({first}));
  start_and_converge();
  const std::string two = routes({first, second});
  const std::string members = two.substr(two.find("\"routes\""));
  write(file(), R"({ "version": 1, "sysctls": { "net.ipv4.ip_default_ttl": 999 }, )" + members);
  EXPECT_TRUE(soon("the failure", [&] { return logged("failed: sysctl net.ipv4.ip_default"); }));
  EXPECT_FALSE(has_route(second)) << "undone";
  test::ip("route del blackhole " + first);
  EXPECT_TRUE(soon(
      "the repair, with the next attempt", [] { return has_route(first); }, patiently));
  EXPECT_TRUE(is_running());
  EXPECT_FALSE(has_route(second));
  EXPECT_EQ(times_logged("error failed: "), 1) << "said once";
  write(file(), two);
  EXPECT_TRUE(soon("what the mended spec adds", [] { return has_route(second); }));
  EXPECT_TRUE(soon("that it is over", [&] { return logged("no longer: failed: "); }));
}

TEST_F(RunFiles, ASpecThatIsBadAtTheStartChangesNothingUntilItIsMended) {
  write(file(), "{ \"version\": 1, ");
  start();
  EXPECT_TRUE(soon(
      "the complaint", [&] { return logged("SYNTAX_ERROR"); }, patiently));
  write(file(), routes({first}));
  EXPECT_TRUE(soon("the route", [] { return has_route(first); }));
  EXPECT_TRUE(soon("ready", [&] { return logged("ready: "); }));
}

TEST_F(RunFiles, ASpecThatIsMissingAtTheStartIsWaitedFor) {
  fs::remove_all(directory());
  start();
  EXPECT_TRUE(soon(
      "the complaint", [&] { return logged(" error "); }, patiently));
  EXPECT_TRUE(is_running());
  EXPECT_FALSE(logged("ready: "));
  fs::create_directories(directory());
  write(file(), routes({first}));
  EXPECT_TRUE(soon("the route", [] { return has_route(first); }));
}

}  // namespace
}  // namespace plumbline::daemon
