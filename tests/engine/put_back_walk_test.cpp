// Random sequences of specs with sysctls and settings of links that overlap, on the real kernel.
// In between others change some of it, passes fail and are undone, and plumbline starts anew. When
// everything is removed, every value that nobody else changed is what it was before.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

const std::vector<std::string> paths{"net/ipv4/ip_forward",
                                     "net/ipv4/conf/all/accept_redirects",
                                     "net/ipv4/conf/default/forwarding",
                                     "net/ipv4/conf/default/rp_filter",
                                     "net/ipv4/conf/eth0/forwarding",
                                     "net/ipv4/conf/eth0/rp_filter",
                                     "net/ipv4/conf/eth1/forwarding",
                                     "net/ipv4/conf/eth1/rp_filter",
                                     "net/ipv6/conf/all/forwarding",
                                     "net/ipv6/conf/default/forwarding",
                                     "net/ipv6/conf/eth0/forwarding",
                                     "net/ipv6/conf/all/ignore_routes_with_linkdown",
                                     "net/ipv6/conf/eth1/ignore_routes_with_linkdown",
                                     "net/ipv4/conf/all/rp_filter"};

using Values = std::map<std::string, std::string>;

std::string read(const std::string& path) {
  std::string value;
  std::getline(std::ifstream("/proc/sys/" + path), value);
  return value;
}

void write(const std::string& path, const std::string& value) {
  std::ofstream("/proc/sys/" + path) << value;
}

/// The first time that a link goes up the kernel gives it a qdisc, which stays.
std::string shown(const std::string& link) {
  const std::string words = ip("-o link show " + link);
  const auto from = words.find(" qdisc ");
  return words.substr(0, from) + words.substr(words.find(" state "));
}

/// All that a step of ours may change: sysctls by path, settings of links by the words of `ip`.
Values everything() {
  Values values;
  for (const std::string& path : paths) values[path] = read(path);
  for (const char* name : {"eth0", "eth1"}) values[name] = shown(name);
  return values;
}

std::string digit(int end) { return std::to_string(*rc::gen::inRange(0, end)); }
bool chance(int of_ten) { return *rc::gen::inRange(0, 10) < of_ten; }

std::string any_value(const std::string& path) {
  return digit(path.ends_with("/rp_filter") ? 3 : 2);
}

std::string any_spec() {
  std::string sysctls;
  for (const std::string& path : paths) {
    if (!chance(3)) continue;
    sysctls += (sysctls.empty() ? "\"" : ", \"") + path + "\": " + any_value(path);
  }
  std::string links = chance(5) ? R"("br0": {"kind": "bridge"})" : "";
  for (const char* name : {"eth0", "eth1"}) {
    if (!chance(4)) continue;
    links += (links.empty() ? "\"" : ", \"") + std::string(name) + R"(": {"kind": "physical")";
    if (chance(5)) links += R"(, "mtu": 14)" + digit(10) + "0";
    if (chance(3)) links += R"(, "alias": "a)" + digit(3) + "\"";
    if (chance(3)) links += R"(, "txQueueLength": 5)" + digit(3);
    if (chance(3)) links += std::string(R"(, "up": )") + (chance(5) ? "true" : "false");
    links += "}";
  }
  return R"({"version": 1, "sysctls": {)" + sysctls + R"(}, "links": {)" + links + "}}";
}

class PutBackWalk : public NetnsTest {
 protected:
  /// Links that nobody has written a setting of, as then they follow `default`.
  static void start() {
    for (const char* name : {"eth0", "eth1"}) {
      if (run({"ip", "link", "show", name}).status == 0) ip(std::string("link del ") + name);
    }
    for (const std::string& path : paths) {
      if (path.find("/eth") == std::string::npos) write(path, any_value(path));
    }
    for (const char* name : {"eth0", "eth1"}) {
      ip(std::string("link add ") + name + " type veth peer name " + name + "-far");
    }
    for (const std::string& path : paths) {
      if (path.find("/eth") != std::string::npos && chance(3)) write(path, any_value(path));
    }
  }

  /// Somebody else writes one, and so what the kernel changes along.
  static void interfere(std::set<std::string>& touched) {
    const std::string path = *rc::gen::elementOf(paths);
    const std::string value = any_value(path);
    write(path, value);
    touched.insert(path);
    for (const std::string& other : paths) {
      if (value_along({path, value}, other)) touched.insert(other);
    }
  }

  /// What a put-back that was made to fail left blocked may stay so until all is removed.
  static void apply(Site& site, const std::string& spec) {
    const engine::Outcome outcome = site.carry_out(site.prepare(spec));
    const bool done =
        outcome.result == engine::Result::applied || outcome.result == engine::Result::unchanged;
    RC_ASSERT(done);
    RC_ASSERT(site.prepare(spec).plan.empty());
  }

  static void fail_once(Site& site, const std::string& spec) {
    FailingHost host(site.host(), static_cast<std::size_t>(*rc::gen::inRange(0, 6)));
    static_cast<void>(site.carry_out(site.prepare(spec), &host));
  }
};

TEST_F(PutBackWalk, EveryValueThatNobodyElseChangedIsWhatItWasBefore) {
  setenv("RC_PARAMS", "max_success=60 seed=20261130", 0);
  std::string name = std::filesystem::temp_directory_path() / "put-back-walk-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  std::string first;
  const auto result = rc::check("after any sequence of specs", [&] {
    start();
    const Values before = everything();
    std::set<std::string> touched;
    std::string story;
    auto site = std::make_unique<Site>(std::filesystem::path(name));
    site->options.allow_empty = true;
    const int specs = *rc::gen::inRange(1, 5);
    for (int i = 0; i < specs; ++i) {
      const std::string spec = any_spec();
      story += spec + "\n";
      if (chance(2)) fail_once(*site, spec);
      apply(*site, spec);
      if (chance(3)) interfere(touched);
      if (chance(3)) {
        site = std::make_unique<Site>(std::filesystem::path(name));
        site->options.allow_empty = true;
      }
    }
    apply(*site, R"({"version": 1})");
    std::string warning;
    const engine::Ledger ledger = engine::read_ledger(name, warning);
    std::string wrong = ledger.memory.earlier.empty() ? "" : "something is still remembered\n";
    const Values after = everything();
    for (const auto& [what, value] : before) {
      if (touched.contains(what) || after.at(what) == value) continue;
      wrong += what + ": " + value + " became " + after.at(what) + "\n";
    }
    if (wrong.empty()) return;
    for (const std::string& path : touched) story += "touched " + path + "\n";
    for (const auto& [what, value] : before) story += what + " = " + value + "\n";
    if (first.empty()) first = wrong + story;
    RC_FAIL(wrong);
  });
  std::filesystem::remove_all(name);
  EXPECT_TRUE(result) << first;
}

}  // namespace
}  // namespace plumbline::test
