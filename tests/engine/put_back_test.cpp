// What carries no mark is as it was before, once no spec holds it: what the kernel changed along,
// of this very object, and whatever cannot be put back holds up nothing else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <optional>

#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* nothing = R"({"version": 1})";

std::string sysctl(const std::string& path) {
  std::string value;
  std::getline(std::ifstream("/proc/sys/net/" + path), value);
  return value;
}

void set(const std::string& path, const std::string& value) {
  std::ofstream(("/proc/sys/net/" + path).c_str()) << value;
  ASSERT_EQ(sysctl(path), value) << path;
}

std::string sysctls(const std::string& members) {
  return R"({"version": 1, "sysctls": {)" + members + "}}";
}

std::string links(const std::string& members) {
  return R"({"version": 1, "links": {)" + members + "}}";
}

std::string attribute(const std::string& link, const std::string& name) {
  std::string words = " " + ip("-d -o link show " + link) + " ";
  const auto at = words.find(" " + name + " ");
  if (at == std::string::npos) return {};
  words = words.substr(at + name.size() + 2);
  return words.substr(0, words.find(' '));
}

class PutBackTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    site_.emplace();
    site_->options.allow_empty = true;
    make("eth0");
    make("eth1");
  }
  void TearDown() override {
    site_.reset();
    NetnsTest::TearDown();
  }
  static void make(const std::string& name) {
    ip("link add " + name + " type veth peer name " + name + "-far");
  }
  /// At work in the namespace of the test.
  Site& site() { return *site_; }

 private:
  std::optional<Site> site_;
};

// ---- what the kernel changes along --------------------------------------------------------------

TEST_F(PutBackTest, WhatWasChangedAlongIsBackThoughTheKeyItselfIsAsItWas) {
  set("ipv4/conf/all/accept_redirects", "0");
  site().apply(sysctls(R"("net.ipv4.ip_forward": 1)"));
  site().apply(sysctls(R"("net.ipv4.ip_forward": 0)"));
  EXPECT_EQ(sysctl("ipv4/conf/all/accept_redirects"), "1");
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/conf/all/accept_redirects"), "0");
}

TEST_F(PutBackTest, AValueThatWasChangedAlongIsNotTheEarlierOne) {
  set("ipv4/conf/default/rp_filter", "2");
  site().apply(sysctls(R"("net.ipv4.conf.default.rp_filter": 1)"));
  EXPECT_EQ(sysctl("ipv4/conf/eth1/rp_filter"), "1");
  site().apply(
      sysctls(R"("net.ipv4.conf.default.rp_filter": 0, "net.ipv4.conf.eth1.rp_filter": 1)"));
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/conf/default/rp_filter"), "2");
  EXPECT_EQ(sysctl("ipv4/conf/eth1/rp_filter"), "2");
}

TEST_F(PutBackTest, PuttingAKeyBackTakesNothingElseAlong) {
  set("ipv4/ip_forward", "1");
  set("ipv4/conf/eth0/forwarding", "0");
  site().apply(sysctls(R"("net.ipv4.ip_forward": 0)"));
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/ip_forward"), "1");
  EXPECT_EQ(sysctl("ipv4/conf/eth0/forwarding"), "0");
  EXPECT_EQ(sysctl("ipv4/conf/eth1/forwarding"), "1");
}

TEST_F(PutBackTest, KeysMayGoOneAtATimeInAnyOrder) {
  const std::string both = R"("net.ipv4.ip_forward": 1, "net.ipv4.conf.all.accept_redirects": 1)";
  for (const char* first :
       {R"("net.ipv4.ip_forward": 1)", R"("net.ipv4.conf.all.accept_redirects": 1)"}) {
    for (const char* last :
         {R"("net.ipv4.ip_forward": 1)", R"("net.ipv4.conf.all.accept_redirects": 1)"}) {
      SCOPED_TRACE(std::string(first) + " ... " + last);
      set("ipv4/ip_forward", "0");
      set("ipv4/conf/all/accept_redirects", "0");
      for (const std::string& members : {std::string(first), both, std::string(last)}) {
        site().apply(sysctls(members));
      }
      site().apply(nothing);
      EXPECT_EQ(sysctl("ipv4/ip_forward"), "0");
      EXPECT_EQ(sysctl("ipv4/conf/all/accept_redirects"), "0");
    }
  }
}

TEST_F(PutBackTest, AKeyThatGoesLeavesWhatTheOtherMakesOfIt) {
  site().apply(sysctls(R"("net.ipv6.conf.all.forwarding": 1)"));
  site().apply(sysctls(R"("net.ipv6.conf.all.forwarding": 1, "net.ipv6.conf.eth0.forwarding": 0)"));
  EXPECT_EQ(sysctl("ipv6/conf/eth0/forwarding"), "0");
  site().apply(sysctls(R"("net.ipv6.conf.all.forwarding": 1)"));
  EXPECT_EQ(sysctl("ipv6/conf/eth0/forwarding"), "1");
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv6/conf/eth0/forwarding"), "0");
}

TEST_F(PutBackTest, WhatSomebodyElseSetSinceIsTheirs) {
  site().apply(sysctls(R"("net.ipv6.conf.all.forwarding": 1)"));
  set("ipv6/conf/default/forwarding", "0");
  set("ipv4/conf/all/accept_redirects", "0");
  set("ipv6/conf/all/accept_ra", "2");
  site().apply(sysctls(R"("net.ipv6.conf.all.forwarding": 1, "net.ipv4.ip_forward": 1)"));
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv6/conf/default/forwarding"), "0");
  EXPECT_EQ(sysctl("ipv4/conf/all/accept_redirects"), "0");
  EXPECT_EQ(sysctl("ipv6/conf/all/accept_ra"), "2");
}

TEST_F(PutBackTest, LinksThatComeAndGoMeanwhileAreNoObstacle) {
  set("ipv4/conf/eth1/forwarding", "1");
  site().apply(sysctls(R"("net.ipv4.ip_forward": 1)"));
  ip("link del eth0");
  make("eth2");
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/conf/eth1/forwarding"), "1");
  EXPECT_EQ(sysctl("ipv4/conf/eth2/forwarding"), "0");
}

TEST_F(PutBackTest, SetFirstIsWhatAddsToWhatIsRemembered) {
  const auto first = [&](const std::string& members) {
    std::vector<std::string> keys;
    const engine::Context context = site().context();
    for (const Key& key : engine::set_first(context, site().prepare(members))) {
      keys.push_back(format(key));
    }
    return keys;
  };
  const std::string spec = R"({"version": 1, "sysctls": {"net.ipv4.ip_forward": 1},
      "links": {"eth0": {"kind": "physical", "mtu": 1400}}})";
  EXPECT_THAT(first(spec),
              ::testing::UnorderedElementsAre("link eth0", "sysctl net.ipv4.ip_forward"));
  site().apply(spec);
  ip("link set eth0 mtu 1300");
  set("ipv4/ip_forward", "0");
  EXPECT_THAT(first(spec), IsEmpty()) << "a repair";
  make("eth2");
  EXPECT_THAT(first(spec), ElementsAre("sysctl net.ipv4.ip_forward"))
      << "it changes a link along that was not there before";
}

TEST_F(PutBackTest, ShowNamesOnlyWhatWasSet) {
  site().apply(sysctls(R"("net.ipv4.ip_forward": 1)"));
  std::string warning;
  const engine::Ledger ledger = engine::read_ledger(site().context().directory, warning);
  EXPECT_TRUE(ledger.memory.followed.contains("net/ipv4/conf/all/accept_redirects"));
  EXPECT_FALSE(ledger.memory.followed.contains("net/ipv4/ip_forward"));
}

// ---- of the object, not of its name -------------------------------------------------------------

constexpr const char* settings =
    R"({"version": 1, "links": {"eth0": {"kind": "physical", "mtu": 1400, "alias": "ours"}},
        "sysctls": {"net.ipv4.conf.eth0.rp_filter": 2}})";

TEST_F(PutBackTest, ALinkThatWasMadeAnewGetsNothingOfTheOneBefore) {
  site().apply(settings);
  ip("link del eth0");
  make("eth0");
  ip("link set eth0 mtu 1300");
  set("ipv4/conf/eth0/rp_filter", "1");
  site().apply(nothing);
  EXPECT_EQ(attribute("eth0", "mtu"), "1300");
  EXPECT_EQ(sysctl("ipv4/conf/eth0/rp_filter"), "1");
}

TEST_F(PutBackTest, ALinkThatWasMadeAnewHasValuesOfItsOwnToGoBackTo) {
  site().apply(settings);
  ip("link del eth0");
  make("eth0");
  ip("link set eth0 mtu 1300");
  set("ipv4/conf/eth0/rp_filter", "1");
  site().apply(settings);
  EXPECT_EQ(attribute("eth0", "mtu"), "1400");
  site().apply(nothing);
  EXPECT_EQ(attribute("eth0", "mtu"), "1300");
  EXPECT_EQ(sysctl("ipv4/conf/eth0/rp_filter"), "1");
}

TEST_F(PutBackTest, TheValuesOfALinkFollowItToItsNewName) {
  const std::string before = sysctl("ipv4/conf/eth0/rp_filter");
  site().apply(settings);
  ip("link set eth0 name lan0");
  ip("link add eth0 type veth peer name far0");
  site().apply(nothing);
  EXPECT_EQ(attribute("lan0", "mtu"), "1500");
  EXPECT_EQ(attribute("lan0", "alias"), "");
  EXPECT_EQ(sysctl("ipv4/conf/lan0/rp_filter"), before);
  EXPECT_EQ(attribute("eth0", "mtu"), "1500");
}

// ---- ports --------------------------------------------------------------------------------------

TEST_F(PutBackTest, WhatWasSetOfAPortThatLeftItsBridgeHoldsUpNothing) {
  ip("link add theirs type bridge");
  ip("link set eth0 master theirs");
  site().apply(links(
      R"("eth0": {"kind": "physical", "mtu": 1400, "master": "theirs", "port": {"isolated": true}})"));
  ip("link set eth0 nomaster");
  site().apply(links(R"("eth0": {"kind": "physical", "mtu": 1300})"));
  site().apply(nothing);
  EXPECT_EQ(attribute("eth0", "mtu"), "1500");
}

TEST_F(PutBackTest, APortIsBackInItsBridgeWithAllThatItHadThere) {
  ip("link add theirs type bridge");
  ip("link set eth0 master theirs");
  ip("link set eth0 type bridge_slave cost 50 hairpin on group_fwd_mask 0x8");
  site().apply(
      links(R"("br0": {"kind": "bridge"}, "eth0": {"kind": "physical", "master": "br0"})"));
  site().apply(nothing);
  EXPECT_EQ(attribute("eth0", "master"), "theirs");
  EXPECT_EQ(attribute("eth0", "cost"), "50");
  EXPECT_EQ(attribute("eth0", "hairpin"), "on");
  EXPECT_EQ(attribute("eth0", "group_fwd_mask"), "0x8");
}

TEST_F(PutBackTest, APortOfABridgeThatIsGoneIsInNone) {
  ip("link add theirs type bridge");
  ip("link set eth0 master theirs");
  site().apply(links(
      R"("br0": {"kind": "bridge"}, "eth0": {"kind": "physical", "mtu": 1400, "master": "br0"})"));
  ip("link del theirs");
  site().apply(nothing);
  EXPECT_EQ(attribute("eth0", "master"), "");
  EXPECT_EQ(attribute("eth0", "mtu"), "1500");
}

TEST_F(PutBackTest, APortSettingThatGoesIsThatOfANewPort) {
  const std::string bridge = R"("br0": {"kind": "bridge"}, "eth0": {"kind": "physical", )";
  site().apply(links(bridge + R"("master": "br0", "port": {"isolated": true}})"));
  EXPECT_EQ(attribute("eth0", "isolated"), "on");
  site().apply(links(bridge + R"("master": "br0"})"));
  EXPECT_EQ(attribute("eth0", "isolated"), "off");
}

// ---- what cannot be put back --------------------------------------------------------------------

/// Takes no write of one sysctl any more; `opens`: its file can be opened for writing.
class Refusing : public io::Host {
 public:
  Refusing(io::Host& host, std::string path, bool opens)
      : host_(&host), path_(std::move(path)), opens_(opens) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies = host_->exchange(requests.first(0));
    for (const wire::Request& request : requests) {
      const auto* write = std::get_if<wire::SysctlWrite>(&request);
      const auto* read = std::get_if<wire::SysctlRead>(&request);
      const bool refused = (write != nullptr && write->path == path_) ||
                           (read != nullptr && read->for_writing && read->path == path_ && !opens_);
      if (refused) {
        replies.push_back({opens_ ? EINVAL : EROFS, "/proc/sys/" + path_, {}, {}});
      } else {
        replies.push_back(host_->exchange(std::span(&request, 1)).front());
      }
    }
    return replies;
  }

 private:
  io::Host* host_;
  std::string path_;
  bool opens_;
};

constexpr const char* with_more = R"({"version": 1, "links": {"br0": {"kind": "bridge"}},
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.ip_default_ttl": 70}})";

engine::Outcome destroy(const engine::Context& context) {
  return engine::carry_out(context, engine::prepare(context, {}));
}

TEST_F(PutBackTest, WhatTheKernelRefusesIsNamedAndAllElseIsDone) {
  const std::string before = sysctl("ipv4/ip_default_ttl");
  site().apply(with_more);
  Refusing host(site().host(), "net/ipv4/ip_default_ttl", true);
  const engine::Context context = site().context(&host);
  for (int times = 0; times < 2; ++times) {
    const engine::Outcome outcome = destroy(context);
    EXPECT_EQ(outcome.result, engine::Result::applied);
    EXPECT_THAT(outcome.not_put_back, ElementsAre(StartsWith("sysctl net.ipv4.ip_default_ttl")));
    EXPECT_EQ(sysctl("ipv4/ip_forward"), "0");
    EXPECT_NE(run({"ip", "link", "show", "br0"}).status, 0);
  }
  EXPECT_EQ(sysctl("ipv4/ip_default_ttl"), "70");
  EXPECT_THAT(shown(engine::prepare(context, site().desired(links("")))),
              HasSubstr("sysctl net.ipv4.ip_default_ttl"));
  EXPECT_THAT(destroy(site().context()).not_put_back, IsEmpty());
  EXPECT_EQ(sysctl("ipv4/ip_default_ttl"), before);
}

TEST_F(PutBackTest, WhatCannotBeWrittenIsToldByThePlan) {
  const std::string before = sysctl("ipv4/ip_default_ttl");
  site().apply(with_more);
  Refusing host(site().host(), "net/ipv4/ip_default_ttl", false);
  const engine::Context context = site().context(&host);
  EXPECT_THAT(shown(engine::prepare(context, {})),
              HasSubstr("? sysctl net.ipv4.ip_default_ttl  (blocked: waits for a /proc/sys"));
  EXPECT_THAT(destroy(context).not_put_back,
              ElementsAre(HasSubstr("sysctl net.ipv4.ip_default_ttl: waits for a /proc/sys")));
  EXPECT_EQ(sysctl("ipv4/ip_forward"), "0");
  EXPECT_THAT(destroy(context).not_put_back, ::testing::SizeIs(1));
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/ip_default_ttl"), before);
}

TEST_F(PutBackTest, WhatAPassLeftOutIsNotForgotten) {
  const std::string before = sysctl("ipv4/ip_default_ttl");
  site().apply(with_more);
  const engine::Prepared prepared = site().prepare(nothing);
  const auto without_sysctls = [](const Plan& plan) {
    Plan rest = plan;
    std::erase_if(rest.steps,
                  [](const Step& step) { return std::holds_alternative<Sysctl::Key>(step.key); });
    for (Step& step : rest.steps) step.needs.clear();
    return rest;
  };
  engine::Prepared part = prepared;
  part.plan = without_sysctls(part.plan);
  static_cast<void>(engine::carry_out(site().context(), part, without_sysctls));
  EXPECT_EQ(sysctl("ipv4/ip_default_ttl"), "70");
  site().apply(nothing);
  EXPECT_EQ(sysctl("ipv4/ip_default_ttl"), before);
}

}  // namespace
}  // namespace plumbline::test
