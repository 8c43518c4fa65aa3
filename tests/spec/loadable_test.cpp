// What load() refuses of a document is taken out of it, and told.

#include "plumbline/spec/loadable.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace plumbline::spec {
namespace {

struct Made {
  std::string document;
  std::vector<std::string> taken;
};

Made made_of(std::string_view text) {
  boost::json::object document = boost::json::parse(text).as_object();
  Made made;
  for (const Diagnostic& place : make_loadable(document)) made.taken.push_back(place.pointer);
  made.document = boost::json::serialize(document);
  return made;
}

TEST(Loadable, WhatLoadsIsLeftAsItIs) {
  const std::string good = R"({"version":1,"links":{"br0":{"kind":"bridge","mtu":1400}}})";
  EXPECT_EQ(made_of(good).document, good);
  EXPECT_TRUE(made_of(good).taken.empty());
}

TEST(Loadable, ASettingOfALinkGoesWithoutTheLinkAndARouteAsAWhole) {
  const Made made = made_of(R"({"version":1,"links":{"br0":{"kind":"bridge","mtu":1,
    "addresses":["10.0.0.1/24","x","10.0.0.2/24","y"]},"a~/b":{"kind":"bridge"}},
    "routes":[{"to":"10.8.0.0/16","type":"x"},{"to":"10.9.0.0/16","type":"blackhole"},
              {"to":"10.7.0.0/16","type":"y","metric":-1}]})");
  EXPECT_EQ(made.document,
            R"({"version":1,"links":{"br0":{"kind":"bridge","addresses":["10.0.0.1/24",)"
            R"("10.0.0.2/24"]}},"routes":[{"to":"10.9.0.0/16","type":"blackhole"}]})");
  EXPECT_EQ(made.taken.size(), 6U);
}

TEST(Loadable, ALinkThatIsNothingWithoutWhatWentGoesToo) {
  const Made made = made_of(R"({"version":1,"links":{"v0":{"kind":"veth","veth":{"peer":"/"}}}})");
  EXPECT_EQ(made.document, R"({"version":1,"links":{}})");
}

TEST(Loadable, AChainGoesAsAWhole) {
  const Made made = made_of(R"({"version":1,"iptables":{"filter":{"chains":{
    "GOOD":{"rules":["-j ACCEPT"]},"BAD":{"rules":["-j DROP","-t nat -j DROP"]}}}}})");
  EXPECT_EQ(made.document,
            R"({"version":1,"iptables":{"filter":{"chains":{"GOOD":{"rules":["-j ACCEPT"]}}}}})");
}

TEST(Loadable, ATunnelStaysWithTheFingerprintsOfItsKeys) {
  const Made made = made_of(R"json({"version": 1, "links": {"wg0": {"kind": "wireguard",
    "wireguard": {"privateKey": "(secret 1a2b3c4d)", "peers": {}}}}})json");
  EXPECT_NE(made.document.find("(secret 1a2b3c4d)"), std::string::npos) << made.document;
  EXPECT_TRUE(made.taken.empty());
}

}  // namespace
}  // namespace plumbline::spec
