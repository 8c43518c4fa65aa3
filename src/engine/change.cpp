#include "plumbline/engine/change.hpp"

#include <optional>
#include <utility>

#include "adopt.hpp"
#include "plumbline/io/private_files.hpp"

namespace plumbline::engine {

namespace {

/// What is particular to one verb.
struct Steps {
  std::function<Prepared(const Context&)> prepare;
  std::function<Outcome(const Context&, const Prepared&)> carry_out;
};

std::optional<Lock> take_lock(const Context& context, std::vector<Diagnostic>& refusals) {
  int holder = 0;
  std::optional<Lock> lock = Lock::take(context.directory, holder);
  if (!lock) {
    const std::string who =
        holder == 0 ? "another plumbline" : "plumbline with pid " + std::to_string(holder);
    refusals.push_back({Code::locked, who + " is at work in this network namespace", {}, {}});
  }
  return lock;
}

/// Whether there is a plan that may be carried out.
bool prepare(const Context& context, const Steps& steps, Audience& audience, Ended& ended) {
  ended.prepared = steps.prepare(context);
  audience.warn(ended.prepared.warnings);
  ended.errors = ended.prepared.errors;
  if (!ended.errors.empty()) return false;
  ended.refusals = ended.prepared.plan.refusals;
  if (!ended.refusals.empty()) audience.warn(ended.prepared.plan.warnings);
  return ended.refusals.empty();
}

/// The question may stand for long, so that after a yes the host is looked at again: what is
/// carried out is what was shown.
bool may_begin(const Context& context, const Steps& steps, Audience& audience, Ended& ended) {
  if (!audience.asks() || ended.prepared.idle()) return true;
  if (!audience.agrees()) {
    ended.refusals.push_back({Code::not_confirmed, "answered no", {}, {}});
    return false;
  }
  Prepared again = steps.prepare(context);
  if (!again.errors.empty() || again.plan != ended.prepared.plan) {
    ended.refusals.push_back({Code::stale_plan, "the host changed meanwhile", {}, {}});
    return false;
  }
  ended.prepared = std::move(again);
  return true;
}

Ended change(const Opening& open, const Steps& steps, Audience& audience) {
  Ended ended;
  const Context context = open();
  audience.warn(close_state_directory(context));
  const std::optional<Lock> lock = take_lock(context, ended.refusals);
  if (!lock || !prepare(context, steps, audience, ended)) return ended;
  audience.show(ended.prepared.plan);
  if (!may_begin(context, steps, audience, ended)) return ended;
  audience.begins();
  ended.outcome = steps.carry_out(context, ended.prepared);
  return ended;
}

/// `again`: it may have to be prepared a second time. Else nobody keeps a copy of what is wanted.
Steps steps_to(spec::Desired desired, bool again) {
  return {[desired = std::move(desired), again](const Context& context) mutable {
            return prepare(context, again ? spec::Desired(desired) : std::move(desired));
          },
          [](const Context& context, const Prepared& prepared) {
            return carry_out(context, prepared);
          }};
}

/// Nothing where the files have errors, which are in `ended` then.
std::optional<spec::Desired> read(const Input& input, Audience& audience, Ended& ended) {
  Diagnostics found;
  spec::Desired desired = read_spec(input.sources, input.files, input.mark, found);
  audience.warn(found.warnings);
  ended.errors = std::move(found.errors);
  if (!ended.errors.empty()) return std::nullopt;
  return desired;
}

}  // namespace

Ended plan_files(const Input& input, const Opening& open, Audience& audience) {
  Ended ended;
  std::optional<spec::Desired> desired = read(input, audience, ended);
  if (!desired) return ended;
  static_cast<void>(prepare(open(), steps_to(*std::move(desired), false), audience, ended));
  return ended;
}

Ended apply_files(const Input& input, const Opening& open, Audience& audience) {
  Ended ended;
  std::optional<spec::Desired> desired = read(input, audience, ended);
  if (!desired) return ended;
  return change(open, steps_to(*std::move(desired), audience.asks()), audience);
}

Ended remove_all(const Opening& open, Audience& audience) {
  return change(open, steps_to({}, audience.asks()), audience);
}

Ended make_ours(const std::vector<std::string>& keys, const Opening& open, Audience& audience) {
  const Steps steps{[&keys](const Context& context) { return prepare_adoption(context, keys); },
                    adopt};
  return change(open, steps, audience);
}

std::vector<Diagnostic> close_state_directory(const Context& context) {
  std::vector<Diagnostic> warnings;
  for (const auto& path : {context.directory.parent_path(), context.directory}) {
    std::string words = io::close_to_others(path);
    if (!words.empty()) warnings.push_back({Code::host_warning, std::move(words), {}, {}});
  }
  return warnings;
}

}  // namespace plumbline::engine
