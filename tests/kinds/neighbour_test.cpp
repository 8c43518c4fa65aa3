// Neighbours that stay: from a spec and back, and on the kernel with ip(8) as the witness.

#include "plumbline/kinds/neighbour.hpp"

#include <gmock/gmock.h>

#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {
namespace {

using test::ip;
using test::read_spec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

IfName link_named(std::string_view text) { return IfName::parse(text).value(); }

TEST(NeighbourFromSpec, IsTheInverseOfToSpec) {
  for (const std::string text :
       {R"({"to":"192.0.2.7","dev":"v0","lladdr":"02:00:00:00:00:07"})",
        R"({"to":"192.0.2.7","dev":"v0","lladdr":"03:bf:00:00:00:07"})",
        R"({"to":"2001:db8::7","dev":"v0","lladdr":"02:00:00:00:00:07","router":true})",
        R"({"to":"192.0.2.7","dev":"v0","proxy":true})"}) {
    const auto read = read_spec<Neighbour>(text);
    ASSERT_TRUE(read.value && read.errors.empty()) << text << read.messages;
    EXPECT_EQ(test::spec_text(*read.value), text);
  }
}

TEST(NeighbourFromSpec, SaysWhatIsWrongAndWhere) {
  const auto errors = [](const std::string& text) { return read_spec<Neighbour>(text).errors; };
  EXPECT_THAT(errors(R"({"to": "192.0.2.7/32", "dev": "v0", "lladdr": "02:00:00:00:00:07"})"),
              ElementsAre("INVALID_ADDRESS at /to"));
  EXPECT_THAT(errors(R"({"to": "0.0.0.0", "dev": "v0", "lladdr": "02:00:00:00:00:07"})"),
              ElementsAre("INVALID_ADDRESS at /to"));
  EXPECT_THAT(errors(R"({"to": "192.0.2.7", "dev": "v0", "lladdr": "02:00:00:00:07"})"),
              ElementsAre("INVALID_ADDRESS at /lladdr"));
  EXPECT_THAT(errors(R"({"to": "192.0.2.7", "dev": "v0", "lladdr": "00:00:00:00:00:00"})"),
              ElementsAre("INVALID_ADDRESS at /lladdr"));
  EXPECT_THAT(errors(R"({"to": "192.0.2.7", "dev": "v0"})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(errors(R"({"dev": "v0", "proxy": true})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(
      errors(R"({"to": "192.0.2.7", "dev": "v0", "proxy": true, "lladdr": "02:00:00:00:00:07"})"),
      ElementsAre("INVALID_ADDRESS at /lladdr"));
  EXPECT_THAT(errors(R"({"to": "192.0.2.7", "dev": "v/0", "lladdr": "02:00:00:00:00:07"})"),
              ElementsAre("INVALID_INTERFACE_NAME at /dev"));
  EXPECT_THAT(errors(R"({"to": "192.0.2.7", "dev": "v0", "proxy": true, "mac": 1})"),
              ElementsAre("UNKNOWN_KEY at /mac"));
}

class NeighbourKernel : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    ip("link add v0 type veth peer name v1");
    ip("link set v0 up");
    ip("link set v1 up");
    host_.emplace();
  }

  std::vector<Neighbour> observe() {
    const auto link_queries = Link::queries({});
    names_ = link_names(host_->exchange(link_queries).front());
    std::vector<Neighbour> all;
    const auto queries = Neighbour::queries({});
    const auto replies = host_->exchange(queries);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      Neighbour::decode(queries[i], replies[i], names_, all);
    }
    std::ranges::sort(all, {}, [](const Neighbour& one) { return key(one); });
    return all;
  }
  int send(const std::vector<wire::Request>& requests) {
    for (const wire::Reply& reply : host_->exchange(requests)) {
      if (reply.error != 0) return reply.error;
    }
    return 0;
  }
  int make(const Neighbour& wanted) {
    observe();
    return send(create(wanted, names_));
  }

  std::optional<io::KernelHost> host_;
  LinkNames names_;
};

Neighbour neighbour(std::string_view to, std::string_view mac = "02:00:00:00:00:07") {
  Neighbour made;
  made.to = IpAddress::parse(to).value();
  made.dev = link_named("v0");
  made.lladdr = Mac::parse(mac);
  made.router = false;
  made.protocol = 112;
  return made;
}
Neighbour proxy(std::string_view to) {
  Neighbour made = neighbour(to);
  made.proxy = true;
  made.lladdr.reset();
  return made;
}

TEST_F(NeighbourKernel, AreMadeSeenAndRemoved) {
  for (const Neighbour& wanted : {neighbour("192.0.2.7"), neighbour("2001:db8::7"),
                                  proxy("192.0.2.7"), proxy("2001:db8::7")}) {
    SCOPED_TRACE(format(key(wanted)));
    ASSERT_EQ(make(wanted), 0);
    EXPECT_THAT(observe(), ElementsAre(wanted));
    EXPECT_EQ(send(remove(wanted, names_)), 0);
    EXPECT_THAT(observe(), ElementsAre());
  }
}

TEST_F(NeighbourKernel, OneTakesThePlaceOfWhatTheKernelLearned) {
  ip("neigh add 192.0.2.7 dev v0 lladdr 02:00:00:00:00:09 nud stale");
  EXPECT_THAT(observe(), ElementsAre()) << "not for good";
  ASSERT_EQ(make(neighbour("192.0.2.7")), 0);
  EXPECT_THAT(observe(), ElementsAre(neighbour("192.0.2.7")));
}

TEST_F(NeighbourKernel, EveryFieldIsChangedInPlaceAndBack) {
  Neighbour other = neighbour("2001:db8::7", "02:00:00:00:00:08");
  other.router = true;
  Neighbour theirs = neighbour("2001:db8::7");
  theirs.protocol = 0;
  ASSERT_EQ(make(neighbour("2001:db8::7")), 0);
  Neighbour have = neighbour("2001:db8::7");
  for (const Neighbour& want : {other, neighbour("2001:db8::7"), theirs, other, theirs}) {
    EXPECT_EQ(transition(have, complete(want, have)).change, Change::update);
    ASSERT_EQ(send(update(have, want, names_)), 0);
    EXPECT_THAT(observe(), ElementsAre(want));
    have = want;
  }
}

TEST_F(NeighbourKernel, AProxyIsTakenOverAndGivenBack) {
  ip("neigh add proxy 192.0.2.7 dev v0");
  const Neighbour theirs = observe().at(0);
  EXPECT_FALSE(is_marked(theirs, {}));
  const Neighbour ours = with_mark(theirs, {});
  ASSERT_EQ(send(update(theirs, ours, names_)), 0);
  EXPECT_THAT(observe(), ElementsAre(ours));
  ASSERT_EQ(send(update(ours, theirs, names_)), 0);
  EXPECT_THAT(observe(), ElementsAre(theirs));
}

TEST_F(NeighbourKernel, WhatASpecCannotSayIsToldApart) {
  ip("neigh add 192.0.2.7 dev v0 lladdr 02:00:00:00:00:07 nud permanent extern_learn");
  const auto all = observe();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].has_more);
  EXPECT_NE(why_not_in_spec(all[0]), "");
  EXPECT_NE(why_not_adoptable(all[0]), "");
}

}  // namespace
}  // namespace plumbline
