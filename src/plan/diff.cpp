#include "diff.hpp"

#include <algorithm>

#include "adopt_command.hpp"
#include "ownership.hpp"
#include "plumbline/kernel/adoptable.hpp"
#include "plumbline/kernel/making.hpp"
#include "plumbline/memory/applied.hpp"

namespace plumbline::plan {

namespace {

class Comparison {
 public:
  explicit Comparison(const Situation& situation)
      : now_(situation), making_(situation.have, situation.want, situation.options.mark) {}

  Difference run() {
    Kinds::for_each([&]<class K>(std::type_identity<K>) { compare<K>(); });
    return std::move(result_);
  }

 private:
  template <class K>
  void compare() {
    const auto& have = now_.have.of<K>();
    const auto& want = now_.want.of<K>();
    auto h = have.begin();
    auto w = want.begin();
    while (h != have.end() || w != want.end()) {
      const bool only_have = w == want.end() || (h != have.end() && key(*h) < key(*w));
      const bool only_want = h == have.end() || (w != want.end() && key(*w) < key(*h));
      const auto first = h;
      if (!only_want) {
        while (h != have.end() && key(*h) == key(*first)) ++h;
      }
      const std::vector<const K*> there = pointers<K>(first, h);
      if (only_have) {
        unwanted(there);
      } else {
        wanted(*w, there);
        ++w;
      }
    }
  }

  template <class K, class Iterator>
  static std::vector<const K*> pointers(Iterator first, Iterator last) {
    std::vector<const K*> values;
    for (; first != last; ++first) values.push_back(&*first);
    return values;
  }

  // ---- wanted ----

  template <class K>
  void wanted(const K& want, const std::vector<const K*>& there) {
    if (there.empty()) return make(want);
    if (only_set(want)) return change_to(*there.front(), want);
    for (const K* have : there) {
      if (is_ours(*have, now_.options.mark, true)) return change_beside(*have, want, there);
    }
    beside_foreign(want, there);
  }

  template <class K>
  void make(const K& want) {
    using Way = kernel::Making::Way;
    kernel::Making::Answer answer = making_.of(want);
    switch (answer.way) {
      case Way::make:
        return create(want);
      case Way::wait:
        return block(want, {std::move(answer.words)});
      case Way::comes:
        result_.warnings.push_back(
            {Code::foreign_equal, format(key(want)) + answer.words, now_.origin(key(want)), {}});
        return;
      case Way::needless:
        return;
      case Way::refuse:
        return refuse(want, answer.words);
    }
  }

  /// `have` is ours, others in `there` may not be.
  template <class K>
  void change_beside(const K& have, const K& want, const std::vector<const K*>& there) {
    if constexpr (requires { requires K::replaces_the_first; }) {
      const bool beside = std::ranges::any_of(
          there, [&](const K* other) { return !is_ours(*other, now_.options.mark, true); });
      const bool changes = transition(have, complete(want, have)).change != Change::none;
      if (beside && changes) return conflict(want, there);
    }
    change_to(have, want);
  }

  template <class K>
  void change_to(const K& have, const K& want) {
    const std::optional<K> full = now_.goals.with_earlier(want, have);
    change(have, full ? *full : want, want);
  }

  template <class K>
  void create(const K& want) {
    Draft draft{.have = std::nullopt, .want = want, .asked = want};
    draft.why = reason(now_, want, false);
    result_.drafts.emplace(key(want), std::move(draft));
  }

  template <class K>
  void change(const K& have, const K& want, const K& asked) {
    const K full = complete(want, have);
    const Transition way = transition(have, full);
    if (way.change == Change::none) return;
    if (!way.blocked_until.empty()) return block(asked, {way.blocked_until});
    Draft draft{.have = have, .want = full, .asked = asked};
    draft.why = reason(now_, asked, true);
    draft.disrupts = way.disrupts;
    if (way.change == Change::replace) {
      draft.want = want;
      draft.split = true;
    }
    result_.drafts.emplace(key(have), std::move(draft));
  }

  template <class K>
  void block(const K& want, std::vector<std::string> waits_for) {
    result_.blocked.push_back({key(want), std::move(waits_for), now_.origin(key(want))});
  }

  template <class K>
  void beside_foreign(const K& want, const std::vector<const K*>& there) {
    const bool equal = std::ranges::any_of(
        there, [&](const K* foreign) { return is_equal(*foreign, want, now_.options.mark); });
    if (equal) {
      const std::string command = takeover(there);
      result_.warnings.push_back({Code::foreign_equal,
                                  format(key(want)) +
                                      " is there as wanted, but not ours: it is left alone" +
                                      (command.empty() ? "" : " (" + command + " makes it ours)"),
                                  now_.origin(key(want)),
                                  {}});
    } else {
      conflict(want, there);
    }
  }

  template <class K>
  void conflict(const K& want, const std::vector<const K*>& there) {
    const std::string command = takeover(there);
    refuse(want, " is there, is not ours and differs from the spec: have its owner remove it" +
                     (command.empty() ? "" : ", or take it over: " + command));
  }

  template <class K>
  void refuse(const K& want, const std::string& why) {
    result_.refusals.push_back(
        {Code::foreign_conflict, format(key(want)) + why, now_.origin(key(want)), {}});
  }

  /// The command that would make it ours, where one can.
  template <class K>
  [[nodiscard]] std::string takeover(const std::vector<const K*>& there) const {
    const bool one = there.size() == 1;
    if (!one || !kernel::why_not_adoptable(now_.have, *there.front(), now_.options.mark).empty())
      return {};
    return adopt_command(key(*there.front()));
  }

  // ---- not wanted ----

  template <class K>
  void unwanted(const std::vector<const K*>& there) {
    if (const auto back = now_.goals.way_back(*there.front())) {
      return put_back(*there.front(), back->from, back->to);
    }
    for (const K* have : there) {
      if (!is_ours(*have, now_.options.mark, false)) continue;
      Draft draft{.have = *have};
      draft.why = Why::unwanted;
      draft.disrupts = K::loss;
      result_.drafts.emplace(key(*have), std::move(draft));
      return;
    }
  }

  /// What cannot be put back now stays remembered, and is told.
  template <class K>
  void put_back(const K& have, const K& theirs, const K& goal) {
    const K full = complete(goal, theirs);
    const Transition way = transition(theirs, full);
    if (way.change == Change::none) return;
    std::string obstacle = now_.goals.refusal(key(have));
    if (obstacle.empty()) obstacle = way.blocked_until;
    if (obstacle.empty() && way.change == Change::replace) obstacle = "another object of its name";
    if (!obstacle.empty()) return block(have, {std::move(obstacle)});
    Draft draft{.have = have, .want = full};
    draft.why = Why::unwanted;
    draft.disrupts = way.disrupts;
    result_.drafts.emplace(key(have), std::move(draft));
  }

  const Situation& now_;
  kernel::Making making_;
  Difference result_;
};

}  // namespace

Difference difference(const Situation& situation) { return Comparison(situation).run(); }

Why reason(const Situation& situation, const Resource& asked, bool exists) {
  if (memory::is_applied(situation.memory, asked)) return Why::drifted;
  return exists ? Why::changed : Why::added;
}

}  // namespace plumbline::plan
