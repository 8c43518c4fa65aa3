// A whole spec's firewall with others around: what waits, what stays, what is there in between.

#include <gtest/gtest.h>

#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

class FirewallLife : public NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    site_.emplace(GetParam());
    site_->options.allow_empty = true;
  }
  [[nodiscard]] std::string program(const char* what) const {
    return "iptables-" + std::string(format(GetParam())) + what;
  }
  [[nodiscard]] bool holds(const std::string& words) const {
    return must_run({program("-save")}).find(words) != std::string::npos;
  }

  std::optional<Site> site_;
};

INSTANTIATE_TEST_SUITE_P(Backends, FirewallLife,
                         testing::Values(io::Backend::nft, io::Backend::legacy),
                         [](const auto& of) { return std::string(format(of.param)); });

TEST_P(FirewallLife, AJumpToAChainThatIsNowhereWaitsAndHoldsUpNothing) {
  const std::string spec = R"({ "version": 1, "iptables": { "filter": {
    "chains": { "APP": { "rules": ["-j DROP"] } },
    "shared": { "FORWARD": { "insert": ["-i br0 -j THEIRS"] } } } } })";
  const engine::Prepared prepared = site_->prepare(spec);
  ASSERT_EQ(prepared.plan.blocked.size(), 1U);
  EXPECT_EQ(prepared.plan.blocked[0].waits_for,
            std::vector<std::string>{"chain inet filter THEIRS"});
  EXPECT_EQ(site_->carry_out(prepared).result, engine::Result::applied);
  EXPECT_TRUE(holds("-A APP -j DROP"));
  must_run({program(""), "-N", "THEIRS"});
  site_->apply(spec);
  EXPECT_TRUE(holds("-A FORWARD -i br0 -m comment --comment plumbline -j THEIRS"));
}

TEST_P(FirewallLife, ATableThatSomebodyMadeStaysWhenOurChainsGo) {
  if (GetParam() == io::Backend::nft) must_run({"nft", "add", "table", "ip", "mangle"});
  site_->apply(R"({ "version": 1, "iptables": {
    "mangle": { "chains": { "APP": { "rules": ["-j DROP"] } } },
    "raw": { "chains": { "APP": { "rules": ["-j DROP"] } } } } })");
  site_->apply(R"({ "version": 1 })");
  if (GetParam() == io::Backend::nft) {
    EXPECT_EQ(must_run({"nft", "list", "tables"}), "table ip mangle\n");
  }
}

/// Looks at the rules before each request that is about a link.
class WatchedHost final : public io::Host {
 public:
  WatchedHost(io::Host& host, std::string save) : host_(&host), save_(std::move(save)) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    for (const wire::Request& request : requests) {
      if (std::holds_alternative<wire::NetlinkChange>(request)) seen_.push_back(must_run({save_}));
    }
    return host_->exchange(requests);
  }
  [[nodiscard]] const std::vector<std::string>& seen() const { return seen_; }

 private:
  io::Host* host_;
  std::string save_;
  std::vector<std::string> seen_;
};

TEST_P(FirewallLife, WhileLinksComeAndGoTheGuardsOfBothAreThere) {
  const auto spec = [](const std::string& name) {
    return R"({ "version": 1, "links": { "br-)" + name + R"(": { "kind": "bridge" } },
      "iptables": { "filter": {
        "chains": { "GUARD-)" +
           name + R"(": { "rules": ["-j DROP"] } },
        "shared": { "FORWARD": { "insert": ["-i br-)" +
           name + " -j GUARD-" + name + R"("] } } } } })";
  };
  must_run({program(""), "-A", "FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT"});
  site_->apply(spec("a"));
  const engine::Prepared prepared = site_->prepare(spec("b"));
  WatchedHost host(site_->host(), program("-save"));
  ASSERT_EQ(site_->carry_out(prepared, &host).result, engine::Result::applied);
  EXPECT_GE(host.seen().size(), 2U);
  for (const std::string& rules : host.seen()) {
    EXPECT_NE(rules.find("-j GUARD-a"), std::string::npos) << rules;
    EXPECT_NE(rules.find("-j GUARD-b"), std::string::npos) << rules;
    EXPECT_NE(rules.find("-A GUARD-a -j DROP"), std::string::npos) << rules;
  }
  EXPECT_FALSE(holds("GUARD-a"));
}

}  // namespace
}  // namespace plumbline::test
