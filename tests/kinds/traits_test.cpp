// Which kinds answer the optional questions of kinds/kind.hpp: a function that does not fit a
// question any more would be passed over without a word, and the default taken.

#include <gtest/gtest.h>

#include "plumbline/firewall/model/gradual.hpp"
#include "plumbline/kinds/link_group.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline {
namespace {

/// The names of the kinds that `answers` takes.
template <class Answers>
std::string kinds_that(Answers&& answers) {
  std::string names;
  Kinds::for_each([&]<class K>(std::type_identity<K> kind) {
    if (answers(kind)) names += (names.empty() ? "" : " ") + std::string(K::kind_name);
  });
  return names;
}

// One lambda per question, as `requires` has to see a template.
#define KINDS_WITH(...)                                                            \
  kinds_that([]<class K>(std::type_identity<K>) {                                  \
    return requires(const K& k, const typename K::Key& of, const LinkNames& links, \
                    const Mark& mark) {                                            \
      __VA_ARGS__;                                                                 \
    };                                                                             \
  })

TEST(Traits, OfTheSpec) {
  EXPECT_EQ(KINDS_WITH(K::section), "neighbour route rule");
  EXPECT_EQ(KINDS_WITH(K::in_key), "neighbour route");
  EXPECT_EQ(KINDS_WITH(requires K::key_says_all), "address rule");
  EXPECT_EQ(KINDS_WITH(why_not_in_spec(k)), "neighbour");
}

TEST(Traits, OfOwnership) {
  EXPECT_EQ(KINDS_WITH(is_only_set(k)), "link sysctl shared");
  EXPECT_EQ(KINDS_WITH(is_ours_when_wanted(k)), "chain");
  EXPECT_EQ(KINDS_WITH(requires K::replaces_the_first), "route");
  EXPECT_EQ(KINDS_WITH(requires K::is_adoptable), "link address neighbour route rule");
  EXPECT_EQ(KINDS_WITH(why_not_adoptable(k)), "neighbour");
  EXPECT_EQ(KINDS_WITH(K::why_not_adopted), "wireguard sysctl chain shared");
  EXPECT_EQ(KINDS_WITH(adopted(k, mark)), "link");
}

TEST(Traits, OfWhatGoesWithWhat) {
  EXPECT_EQ(kinds_that([]<class K>(std::type_identity<K>) { return Provides<K>; }),
            "link address route chain");
  EXPECT_EQ(KINDS_WITH(requires K::needed_by_name), "link chain");
  EXPECT_EQ(KINDS_WITH(goes_on_providing(k, k)), "address route");
  EXPECT_EQ(KINDS_WITH(is_up(k)), "link");
  EXPECT_EQ(kinds_that([]<class K>(std::type_identity<K>) {
              return requires(const K& k, const ChainNames& chains, std::set<Need>& needs) {
                needs_among(k, chains, needs);
              };
            }),
            "chain shared");
  EXPECT_EQ(KINDS_WITH(partner(k), is_partner(k, k), acts_for_both(k)), "link");
  EXPECT_EQ(KINDS_WITH(identity(k), exclude_each_other(k, k)), "link");
  EXPECT_EQ(KINDS_WITH(foreign_part(k)), "link");
  EXPECT_EQ(KINDS_WITH(holder(k), released(k)), "link");
  EXPECT_EQ(KINDS_WITH(requires K::is_setting; read_request(k)), "sysctl");
}

TEST(Traits, OfChanges) {
  EXPECT_EQ(KINDS_WITH(is_made_before(of, of)), "rule");
  EXPECT_EQ(KINDS_WITH(is_taken_down(k, k)), "link");
  EXPECT_EQ(KINDS_WITH(requires K::may_be_split), "link address route");
  EXPECT_EQ(KINDS_WITH(gradually(k, k, ChainNames())), "chain shared");
  EXPECT_EQ(KINDS_WITH(unmake(k, links)), "shared");
  EXPECT_EQ(KINDS_WITH(may_come_right(k, 0)), "route");
  EXPECT_EQ(KINDS_WITH(holds_where_absent(k)), "sysctl");
  EXPECT_EQ(KINDS_WITH(names_link(of)), "link");
  EXPECT_EQ(KINDS_WITH(is_of_table(of)), "chain shared");
  EXPECT_EQ(KINDS_WITH(goes_with_its_group(k)), "link");
}

TEST(Traits, OfTheWayBack) {
  EXPECT_EQ(KINDS_WITH(comes_by_itself(k)), "address route");
  EXPECT_EQ(KINDS_WITH(with_finished_mark(k, k), is_back(k, k)), "link");
  EXPECT_EQ(KINDS_WITH(may_be_of_ours(k), bare(k)), "shared");
}

}  // namespace
}  // namespace plumbline
