#include "two_commits.hpp"

#include <algorithm>

#include "plumbline/firewall/model/gradual.hpp"
#include "providers.hpp"

namespace plumbline::plan {

namespace {

bool is_guard(const Resource& resource) {
  return std::visit([](const auto& value) { return stage(value); }, resource) == Stage::guard;
}

ChainNames going_chains(const Drafts& drafts) {
  ChainsProvided going;
  for (const auto& [key, draft] : drafts) {
    if (!draft.have || draft.want) continue;
    std::visit(
        [&]<class K>(const K& have) {
          if constexpr (Provides<K>) provide(have, going);
        },
        *draft.have);
  }
  return std::move(going.names);
}

bool goes_down(const Resource& from, const Resource& to) {
  return std::visit(
      [&]<class K>(const K& have) {
        if constexpr (requires { is_taken_down(have, have); }) {
          return is_taken_down(have, std::get<K>(to));
        } else {
          return false;
        }
      },
      from);
}

/// Whether anything but a rule ends, so that traffic may have to stop before a rule goes.
bool anything_ends(const Drafts& drafts) {
  return std::ranges::any_of(drafts, [](const auto& entry) {
    const Draft& draft = entry.second;
    if (!draft.have || is_guard(*draft.have)) return false;
    return !draft.want || draft.split || draft.why == Why::unwanted ||
           goes_down(*draft.have, *draft.want);
  });
}

}  // namespace

void go_gradually(Drafts& drafts) {
  if (!anything_ends(drafts)) return;
  const ChainNames going = going_chains(drafts);
  for (auto& [key, draft] : drafts) {
    if (!draft.have || !draft.want || draft.why == Why::unwanted) continue;
    std::visit(
        [&, &change = draft]<class K>(const K& have) {
          if constexpr (requires { gradually(have, have, going); }) {
            auto way = gradually(have, std::get<K>(*change.want), going);
            change.lets_go = way.lets_go;
            if (way.middle) change.middle = *std::move(way.middle);
          }
        },
        *draft.have);
  }
}

}  // namespace plumbline::plan
