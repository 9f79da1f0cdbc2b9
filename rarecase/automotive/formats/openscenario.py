"""Episodes as OpenSCENARIO XML 1.2: weather, road condition, and motion as trajectories over time.

Players ignore friction, so motion that obeys it must be said outright: every vehicle follows a polyline whose
vertices are its stations and offsets at the ticks of the telemetry.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import numpy as np

from rarecase.automotive.formats.episodes import STEP_S, Scenario, Track
from rarecase.automotive.formats.opendrive import ROAD_ID

_HEIGHT_M = {"car": 1.5, "van": 2.2, "truck": 3.5, "bus": 3.2}
_WETNESS = {"dry": "dry", "moist": "moist", "wet": "moist", "snow": "moist", "ice": "moist"}
#: Puddles are water above the texture; a film of this depth makes them.
_PUDDLES_MM = 0.4
_KELVIN = 273.15


def openscenario(scenario: Scenario, date: str, road_file: str) -> bytes:
    """A scenario as an OpenSCENARIO file that refers to `road_file`; `date` stands in its header."""
    names = [track.name for track in scenario.tracks]
    end = f"{(scenario.tracks[0].speed.size - 1) * STEP_S:.1f}"
    text = "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n<OpenSCENARIO>\n',
            f'<FileHeader revMajor="1" revMinor="2" date="{date}" author="rarecase (synthetic data)" ',
            f"description={quoteattr(scenario.story)}/>\n",
            "<CatalogLocations/>\n",
            f'<RoadNetwork><LogicFile filepath="{road_file}"/></RoadNetwork>\n',
            "<Entities>\n",
            *map(_entity, scenario.tracks),
            "</Entities>\n<Storyboard>\n<Init><Actions>\n",
            _environment(scenario),
            *map(_set_out, scenario.tracks),
            '</Actions></Init>\n<Story name="motion"><Act name="drive">\n',
            *map(_manoeuvre, scenario.tracks),
            f"<StartTrigger>{_after('begin', '0')}</StartTrigger>\n</Act></Story>\n",
            f"<StopTrigger>{_after('end', end)}</StopTrigger>\n</Storyboard>\n</OpenSCENARIO>\n",
        ]
    )
    assert len(set(names)) == len(names)
    return text.encode()


def _entity(track: Track) -> str:
    half = track.length_m / 2
    front, rear = f"{0.6 * half:.2f}", f"{-0.6 * half:.2f}"
    size = f'width="{track.width_m}" length="{track.length_m}" height="{_HEIGHT_M[track.kind]}"'
    axle = f'wheelDiameter="0.65" trackWidth="{track.width_m - 0.2:.2f}" positionZ="0.32"'
    return (
        f'<ScenarioObject name="{track.name}"><Vehicle name="{track.kind}" vehicleCategory="{track.kind}" '
        f'mass="{track.mass_kg}">'
        f'<BoundingBox><Center x="0" y="0" z="{_HEIGHT_M[track.kind] / 2}"/><Dimensions '
        f"{size}/></BoundingBox>"
        f'<Performance maxSpeed="{max(70.0, track.desired_speed_mps)}" maxAcceleration="10" '
        f'maxDeceleration="{track.brake_mps2}"/>'
        f'<Axles><FrontAxle maxSteering="0.6" {axle} positionX="{front}"/>'
        f'<RearAxle maxSteering="0" {axle} '
        f'positionX="{rear}"/></Axles><Properties/></Vehicle></ScenarioObject>\n'
    )


def _environment(scenario: Scenario) -> str:
    found = scenario.weather
    kind = {"none": "dry"}.get(found["precipitation"], found["precipitation"])
    puddles = found["road_state"] == "wet" and found["water_film_mm"] >= _PUDDLES_MM
    wetness = "wetWithPuddles" if puddles else _WETNESS[found["road_state"]]
    # The weather knows how strong the wind is and not from where: it is written as blowing along +x.
    return (
        '<GlobalAction><EnvironmentAction><Environment name="weather">'
        f'<TimeOfDay animation="false" dateTime="{scenario.started_at.isoformat(timespec="milliseconds")}"/>'
        f'<Weather temperature="{found["air_temperature_c"] + _KELVIN:.2f}">'
        f'<Fog visualRange="{found["visibility_m"]:.0f}"/>'
        f'<Precipitation precipitationType="{kind}" '
        f'precipitationIntensity="{found["precipitation_mmph"]:.1f}"/>'
        f'<Wind direction="0" speed="{found["wind_mps"]:.1f}"/></Weather>'
        f'<RoadCondition frictionScaleFactor="{found["friction_scale"]:.2f}" '
        f'wetness="{wetness}"/>'
        "</Environment></EnvironmentAction></GlobalAction>\n"
    )


def _set_out(track: Track) -> str:
    return (
        f'<Private entityRef="{track.name}">'
        f"<PrivateAction><TeleportAction>{_position(track, 0)}</TeleportAction></PrivateAction>"
        '<PrivateAction><LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="step" value="0" '
        'dynamicsDimension="time"/><SpeedActionTarget><AbsoluteTargetSpeed '
        f'value="{track.speed[0]:.3f}"/></SpeedActionTarget>'
        "</SpeedAction></LongitudinalAction></PrivateAction></Private>\n"
    )


def _manoeuvre(track: Track) -> str:
    name = track.name
    vertices = "".join(
        f'<Vertex time="{tick * STEP_S:.1f}">{_position(track, tick)}</Vertex>\n'
        for tick in _telling(track).tolist()
    )
    return (
        f'<ManeuverGroup name="{name}" maximumExecutionCount="1"><Actors selectTriggeringEntities="false">'
        f'<EntityRef entityRef="{name}"/></Actors><Maneuver name="{name} moves">'
        f'<Event name="{name} sets out" priority="override" maximumExecutionCount="1">'
        f'<Action name="{name} follows"><PrivateAction><RoutingAction><FollowTrajectoryAction>'
        '<TimeReference><Timing domainAbsoluteRelative="absolute" scale="1" offset="0"/></TimeReference>'
        '<TrajectoryFollowingMode followingMode="position"/>'
        f'<TrajectoryRef><Trajectory name="{name} path" closed="false"><Shape><Polyline>\n{vertices}'
        "</Polyline></Shape></Trajectory></TrajectoryRef></FollowTrajectoryAction></RoutingAction></PrivateAction></Action>"
        f"<StartTrigger>{_after(name + ' starts', '0')}</StartTrigger></Event></Maneuver></ManeuverGroup>\n"
    )


def _telling(track: Track) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Ticks that say something: of a standstill only its beginning and end."""
    moving = np.diff(track.station, prepend=-1.0) != 0
    still = ~moving[1:-1] & ~moving[2:] & (np.diff(track.offset, prepend=0.0)[1:-1] == 0)
    still &= np.diff(track.offset)[1:] == 0
    return np.flatnonzero(np.concatenate([[True], ~still, [True]]))


def _position(track: Track, tick: int) -> str:
    offset = track.offset[tick]
    aside = f' offset="{offset:.4f}"' if offset else ""
    station = f'roadId="{ROAD_ID}" laneId="{track.lane}" s="{track.station[tick]:.5f}"'
    return f"<Position><LanePosition {station}{aside}/></Position>"


def _after(name: str, seconds: str) -> str:
    return (
        f'<ConditionGroup><Condition name="{name}" delay="0" conditionEdge="none"><ByValueCondition>'
        f'<SimulationTimeCondition value="{seconds}" '
        'rule="greaterOrEqual"/></ByValueCondition></Condition></ConditionGroup>'
    )
