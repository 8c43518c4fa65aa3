// Links that stand on others: what the kernel would refuse when the last of them is made is refused
// in the spec, at the place that says so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& links) {
  return load_members("\"links\": {" + links + "}").errors;
}

std::string vxlan(const std::string& name, int id, const std::string& device,
                  const std::string& master = {}) {
  return "\"" + name + R"(": {"kind": "vxlan", )" +
         (master.empty() ? "" : R"("master": ")" + master + "\", ") + R"("vxlan": {"id": )" +
         std::to_string(id) + R"(, "device": ")" + device + "\"}}";
}

TEST(LinkStack, VxlansThatStandOnEachOtherAreRefused) {
  EXPECT_THAT(errors_of(vxlan("a", 1, "b") + "," + vxlan("b", 2, "a")),
              ElementsAre(AllOf(HasSubstr("INVALID_LINK"), HasSubstr("stand on itself"),
                                HasSubstr("/vxlan/device"))));
  EXPECT_THAT(errors_of(vxlan("a", 1, "b") + "," + vxlan("b", 2, "c") + "," + vxlan("c", 3, "a")),
              ElementsAre(HasSubstr("stand on itself")));
  EXPECT_THAT(errors_of(vxlan("a", 1, "eth0") + "," + vxlan("b", 2, "a")), IsEmpty());
}

TEST(LinkStack, AVxlanInTheBridgeThatItLeavesThroughIsRefused) {
  EXPECT_THAT(errors_of(R"("br0": {"kind": "bridge"}, )" + vxlan("a", 1, "br0", "br0")),
              ElementsAre(HasSubstr("stand on itself")));
  // By way of another VXLAN, and of a bridge that is not in the spec.
  EXPECT_THAT(errors_of(vxlan("a", 1, "br0") + "," + vxlan("b", 2, "a", "br0")),
              ElementsAre(HasSubstr("stand on itself")));
  EXPECT_THAT(errors_of(R"("br0": {"kind": "bridge"}, "br1": {"kind": "bridge"}, )" +
                        vxlan("a", 1, "br0", "br1")),
              IsEmpty());
}

TEST(LinkStack, ABridgeOfANetworkCountsToo) {
  const auto errors =
      load_members(R"("networks": {"br0": {}}, "links": {)" + vxlan("a", 1, "br0", "br0") + "}")
          .errors;
  EXPECT_THAT(errors, ElementsAre(HasSubstr("stand on itself")));
}

TEST(LinkStack, EightLinksStandOnOneAnotherAndNoNinth) {
  const auto tower = [](int height) {
    std::string links;
    for (int i = 1; i < height; ++i) {
      links += (i == 1 ? "" : ",") +
               vxlan("v" + std::to_string(i), i, i == 1 ? "eth0" : "v" + std::to_string(i - 1));
    }
    return links;
  };
  EXPECT_THAT(errors_of(tower(8)), IsEmpty());
  EXPECT_THAT(errors_of(tower(9)),
              ElementsAre(AllOf(HasSubstr("INVALID_LINK"), HasSubstr("more than 8 links"))));
  EXPECT_THAT(errors_of(tower(5000)), ::testing::Not(IsEmpty()));
}

TEST(Underlay, ATunnelWhosePacketsGoIntoItselfIsRefused) {
  const auto vxlan_to = [](const std::string& remote, const std::string& more) {
    return R"("v": {"kind": "vxlan", "master": "br0", "vxlan": {"id": 1, "remote": ")" + remote +
           R"("}}, "br0": {"kind": "bridge", "addresses": ["10.9.0.1/24"]})" + more;
  };
  EXPECT_THAT(errors_of(vxlan_to("10.9.0.2", "")),
              ElementsAre(AllOf(HasSubstr("INVALID_LINK"), HasSubstr("would go into it themselves"),
                                HasSubstr("/links/v/vxlan/remote"))));
  EXPECT_THAT(errors_of(vxlan_to("192.0.2.2", "")), IsEmpty());
  const std::string eth0 = R"(, "eth0": {"kind": "physical", "addresses": ["10.9.0.3/25"]})";
  EXPECT_THAT(errors_of(vxlan_to("10.9.0.2", eth0)), IsEmpty()) << "a longer way elsewhere";

  const auto peer_at = [](const std::string& endpoint, const std::string& mark) {
    return R"("w": {"kind": "wireguard", "addresses": ["10.9.0.1/24"], "wireguard": {)" + mark +
           R"("privateKey": "CAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE=", "peers": {
             "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=": {"endpoint": ")" +
           endpoint + R"("}}}})";
  };
  EXPECT_THAT(errors_of(peer_at("10.9.0.2:1", "")),
              ElementsAre(AllOf(HasSubstr("INVALID_WIREGUARD_CONFIG"), HasSubstr("/endpoint"))));
  EXPECT_THAT(errors_of(peer_at("192.0.2.2:1", "")), IsEmpty());
  EXPECT_THAT(errors_of(peer_at("10.9.0.2:1", R"("fwmark": 7, )")), IsEmpty());
}

}  // namespace
}  // namespace plumbline::spec
