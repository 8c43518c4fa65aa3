#include "plumbline/plan/adoption.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "plumbline/kernel/adoptable.hpp"
#include "plumbline/kernel/kernel_made.hpp"

namespace plumbline::plan {

namespace {

/// As `format(key)` has them: one space between words, none around them.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space) words.back() += c;
    if (space && !words.back().empty()) words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// How many characters have to be changed, added or removed to get from one to the other.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

/// A few of the keys there are that look most like `text`, the likest first: one that says more,
/// then one that says it a little differently.
template <class K>
std::vector<std::string> similar(const State& have, const std::string& text) {
  constexpr std::size_t most = 3;
  constexpr std::size_t longest = 256;
  if (text.size() > longest) return {};
  const kernel::KernelMade made_by_kernel(have);
  std::set<std::pair<std::size_t, std::string>> ranked;
  for (const K& value : have.of<K>()) {
    if (made_by_kernel(value)) continue;
    std::string key_text = format(key(value));
    const std::size_t changes = key_text.starts_with(text) ? 0 : distance(text, key_text);
    ranked.emplace(changes, std::move(key_text));
    if (ranked.size() > most) ranked.erase(std::prev(ranked.end()));
  }
  std::vector<std::string> keys;
  for (const auto& [changes, key_text] : ranked) {
    if (changes <= text.size() / 4) keys.push_back(key_text);
  }
  return keys;
}

/// `link, address, route or rule`
std::string adoptable_kinds() {
  std::vector<std::string_view> names;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { requires K::is_adoptable; }) names.push_back(K::kind_name);
  });
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + std::string(names[i]);
  }
  return text;
}

class Adopting {
 public:
  Adopting(const State& have, const Mark& mark) : have_(have), mark_(mark) {}

  void add(const std::string& given) {
    const std::vector<std::string> words = words_of(given);
    const std::string text = joined(words);
    bool known = false;
    Kinds::for_each([&]<class K>(std::type_identity<K>) {
      if constexpr (requires { requires K::is_adoptable; }) {
        if (words.empty() || words.front() != K::kind_name) return;
        known = true;
        if (words.size() == 1) {
          error("'" + text +
                "' is only the beginning of a key: quote it, so that it is one argument");
        } else {
          add<K>(text);
        }
      }
    });
    if (!known) not_adoptable(text, words.empty() ? "" : words.front());
  }

  Adoption result() && {
    std::ranges::stable_sort(steps_, std::ranges::less{}, &Step::key);
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].id = i;
    adoption_.plan.steps = std::move(steps_);
    return std::move(adoption_);
  }

 private:
  void error(std::string message) {
    adoption_.errors.push_back({Code::no_such_object, std::move(message), {}, {}});
  }
  void refuse(std::string message) {
    adoption_.plan.refusals.push_back({Code::not_adoptable, std::move(message), {}, {}});
  }

  void not_adoptable(const std::string& text, const std::string& kind) {
    bool known = false;
    Kinds::for_each([&]<class K>(std::type_identity<K>) {
      if constexpr (requires { K::why_not_adopted; }) {
        if (kind != K::kind_name) return;
        known = true;
        refuse(text + ' ' + std::string(K::why_not_adopted));
      }
    });
    if (!known) error("'" + text + "' is no key: one begins with " + adoptable_kinds());
  }

  template <class K>
  void add(const std::string& text) {
    std::vector<const K*> ours;
    std::vector<const K*> theirs;
    for (const K& value : have_.of<K>()) {
      if (format(key(value)) == text) (is_marked(value, mark_) ? ours : theirs).push_back(&value);
    }
    if (theirs.empty()) {
      if (ours.empty()) not_there<K>(text);
      return;
    }
    const std::string why = kernel::why_not_adoptable(have_, *theirs.front(), mark_);
    if (!why.empty()) return refuse(text + " cannot be adopted: " + why);
    adopt(*theirs.front(), ours.empty());
  }

  template <class K>
  void not_there(const std::string& text) {
    std::string words = "there is no " + text;
    const std::vector<std::string> others = similar<K>(have_, text);
    for (std::size_t i = 0; i < others.size(); ++i) {
      words += (i == 0 ? "; there is " : ", ") + others[i];
    }
    error(std::move(words));
  }

  template <class K>
  void adopt(const K& theirs, bool add_ours) {
    put(step_for(theirs, add_ours));
    if constexpr (requires { partner(theirs); }) adopt_partner(theirs);
  }
  /// What comes and goes together becomes ours together.
  template <class K>
  void adopt_partner(const K& theirs) {
    const auto where = partner(theirs);
    const K* other = where ? have_.find<K>(*where) : nullptr;
    if (other == nullptr || is_marked(*other, mark_)) return;
    const std::string why = kernel::why_not_adoptable(have_, *other, mark_);
    if (!why.empty()) return refuse(format(*where) + " cannot be adopted: " + why);
    put(step_for(*other, true));
  }

  template <class K>
  Step step_for(const K& theirs, bool add_ours) const {
    const K ours = as_ours(theirs);
    Step step;
    step.key = add_ours ? key(ours) : key(theirs);
    step.action = add_ours ? Action::update : Action::remove;
    step.before = theirs;
    if (add_ours) step.after = ours;
    return step;
  }
  template <class K>
  K as_ours(const K& theirs) const {
    if constexpr (requires { adopted(theirs, mark_); }) {
      return adopted(theirs, mark_);
    } else {
      return with_mark(theirs, mark_);
    }
  }

  void put(Step step) {
    step.why = Why::adopted;
    if (known_.insert(step.key).second) steps_.push_back(std::move(step));
  }

  const State& have_;
  const Mark& mark_;
  std::set<Key> known_;
  std::vector<Step> steps_;
  Adoption adoption_;
};

}  // namespace

Adoption make_adoption(const State& have, const std::vector<std::string>& keys, const Mark& mark) {
  Adopting adopting(have, mark);
  for (const std::string& text : keys) adopting.add(text);
  return std::move(adopting).result();
}

}  // namespace plumbline::plan
