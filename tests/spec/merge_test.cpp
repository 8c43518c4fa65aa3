#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

std::string spec(const std::string& members) { return "{\"version\": 1,\n" + members + "}"; }

}  // namespace

TEST(MergeFiles, MergesObjectsAtEveryDepth) {
  const auto loaded = load_files({
      {"a.json", spec(R"("links": {"br0": {"kind": "bridge", "bridge": {"stp": false}}})")},
      {"b.json", spec(R"("links": {"br0": {"mtu": 1400, "bridge": {"vlanFiltering": true}},
                                   "tap0": {"kind": "tap", "master": "br0"}})")},
  });
  EXPECT_THAT(loaded.errors, IsEmpty());
  const Link* const bridge = loaded.spec.state.find<Link>({*IfName::parse("br0")});
  ASSERT_NE(bridge, nullptr);
  EXPECT_EQ(bridge->mtu, 1400U);
  ASSERT_TRUE(bridge->bridge);
  EXPECT_EQ(bridge->bridge->stp, false);
  EXPECT_EQ(bridge->bridge->vlan_filtering, true);
  EXPECT_THAT(loaded.spec.state.of<Link>(), SizeIs(2));
}

TEST(MergeFiles, JoinsRoutesAndRulesInTheOrderOfTheFiles) {
  const auto loaded = load_files({
      {"a.json", spec(R"("routes": [{"to": "10.1.0.0/16", "type": "blackhole"}],
                         "rules": [{"priority": 1, "table": 5}])")},
      {"b.json", spec(R"("routes": [{"to": "10.2.0.0/16", "type": "blackhole"}],
                         "rules": [{"priority": 2, "table": 5}])")},
  });
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.spec.state.of<Route>(), SizeIs(2));
  EXPECT_THAT(loaded.spec.state.of<Rule>(), SizeIs(2));
}

TEST(MergeFiles, JoinsTheRulesOfASharedChainInTheOrderOfTheFiles) {
  const auto with = [](const std::string& rule) {
    return spec("\"iptables\": {\"filter\": {\"shared\": {\"FORWARD\": {\"insert\": [\"-i " + rule +
                " -j ACCEPT\"], \"append\": [\"-o " + rule + " -j DROP\"]}}}}");
  };
  const auto loaded = load_files({{"a.json", with("z")}, {"b.json", with("a")}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  const auto& chain = loaded.spec.state.of<SharedChain>().at(0);
  EXPECT_THAT(chain.insert, ElementsAre("-i z -j ACCEPT", "-i a -j ACCEPT"));
  EXPECT_THAT(chain.append, ElementsAre("-o z -j DROP", "-o a -j DROP"));
  std::vector<std::string> origins;
  for (const auto& origin : loaded.spec.rule_origins.at(key(chain))) {
    origins.push_back(*origin.file);
  }
  EXPECT_THAT(origins, ElementsAre("a.json", "b.json", "a.json", "b.json"));
}

TEST(MergeFiles, PointsIntoTheFileOfAnElementAndNotIntoTheJoinedArray) {
  const std::string bad = spec(R"("routes": [{"to": "nowhere", "type": "blackhole"}])");
  const auto loaded = load_files({{"a.json", bad}, {"b.json", bad}});
  ASSERT_THAT(loaded.diagnostics, SizeIs(2));
  EXPECT_EQ(loaded.diagnostics[1].pointer, "/routes/0/to");
  EXPECT_EQ(format(loaded.diagnostics[1].origin), "b.json:2:19");
}

TEST(MergeFiles, FindsTheSameObjectInTwoFiles) {
  const std::string route = spec(R"("routes": [{"to": "10.1.0.0/16", "type": "blackhole"}])");
  EXPECT_THAT(
      load_files({{"a.json", route}, {"b.json", route}}).errors,
      ElementsAre("b.json:2:12: DUPLICATE_IDENTITY: 'route inet main 10.1.0.0/16' is already "
                  "given at a.json:2:12 (at /routes/0)"));
}

struct Conflict {
  const char* first;
  const char* second;
  const char* error;
};

void PrintTo(const Conflict& conflict, std::ostream* out) { *out << conflict.error; }

class Conflicts : public ::testing::TestWithParam<Conflict> {};

TEST_P(Conflicts, NameBothPlaces) {
  const auto loaded =
      load_files({{"a.json", spec(GetParam().first)}, {"b.json", spec(GetParam().second)}});
  EXPECT_THAT(loaded.errors, ElementsAre(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    MergeFiles, Conflicts,
    ::testing::Values(
        Conflict{R"("links": {"b": {"kind": "bridge", "mtu": 1400}})",
                 R"("links": {"b": {"mtu": 1500}})",
                 "b.json:2:24: CONFLICTING_FILES: 'mtu' is already given at a.json:2:42 (at "
                 "/links/b/mtu)"},
        Conflict{R"("links": {"b": {"kind": "bridge"}})", R"("links": {"b": {"kind": "bridge"}})",
                 "b.json:2:25: CONFLICTING_FILES: 'kind' is already given at a.json:2:25 (at "
                 "/links/b/kind)"},
        Conflict{R"("links": {"b": {"kind": "bridge", "addresses": ["10.0.0.1/24"]}})",
                 R"("links": {"b": {"addresses": ["10.0.0.2/24"]}})",
                 "b.json:2:30: CONFLICTING_FILES: 'addresses' is already given at a.json:2:48 (at "
                 "/links/b/addresses)"},
        Conflict{R"("iptables": {"filter": {"chains": {"A": {"rules": []}}}})",
                 R"("iptables": {"filter": {"chains": {"A": {"rules": []}}}})",
                 "b.json:2:51: CONFLICTING_FILES: 'rules' is already given at a.json:2:51 (at "
                 "/iptables/filter/chains/A/rules)"},
        Conflict{R"("sysctls": {"net.ipv4.ip_forward": 1})",
                 R"("sysctls": {"net.ipv4.ip_forward": {}})",
                 "b.json:2:36: CONFLICTING_FILES: 'net.ipv4.ip_forward' is already given at "
                 "a.json:2:36 (at /sysctls/net.ipv4.ip_forward)"}));

TEST(MergeFiles, NamesTheFirstPlaceAtEachLaterOne) {
  const auto sysctl = spec(R"("sysctls": {"net.ipv4.ip_forward": 1})");
  EXPECT_THAT(load_files({{"a.json", sysctl}, {"b.json", sysctl}, {"c.json", sysctl}}).errors,
              ElementsAre(HasSubstr("b.json:2:36: CONFLICTING_FILES"),
                          ::testing::AllOf(HasSubstr("c.json:2:36: CONFLICTING_FILES"),
                                           HasSubstr("at a.json:2:36"))));
}

TEST(MergeFiles, LetsEveryFileSayWhereItsSchemaIs) {
  EXPECT_THAT(load_files({{"a.json", R"({"$schema": "x", "version": 1})"},
                          {"b.json", R"({"$schema": "y", "version": 1})"}})
                  .errors,
              ::testing::IsEmpty());
  EXPECT_THAT(load_files({{"a.json", R"({"$schema": "x", "version": 1})"},
                          {"b.json", R"({"$schema": {}, "version": 1})"}})
                  .errors,
              ::testing::ElementsAre(::testing::HasSubstr("b.json:1:13: WRONG_TYPE")));
}

}  // namespace plumbline::spec
