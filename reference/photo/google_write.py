"""A depth into a JPEG, as Dynamic Depth 1.0 and as GDepth: what ``google_depth`` reads."""

import base64
from dataclasses import replace

import cv2

from portraiture.reference.photo.decode import Metadata
from portraiture.reference.photo.stored_depth import StoredDepth
from portraiture.reference.photo.xmp import added

_QUALITY = 98

_URI = "android/depthmap"

_DESCRIPTION = """<rdf:Description rdf:about=""
    xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:Device="http://ns.google.com/photos/dd/1.0/device/"
    xmlns:Profile="http://ns.google.com/photos/dd/1.0/profile/"
    xmlns:Camera="http://ns.google.com/photos/dd/1.0/camera/"
    xmlns:DepthMap="http://ns.google.com/photos/dd/1.0/depthmap/"
    xmlns:Container="http://ns.google.com/photos/dd/1.0/container/"
    xmlns:Item="http://ns.google.com/photos/dd/1.0/item/"
    xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"
    GDepth:Format="RangeInverse" GDepth:Near="{near}" GDepth:Far="{far}" GDepth:Units="m"
    GDepth:MeasureType="OpticalAxis" GDepth:Mime="image/jpeg" GDepth:Data="{data}">
  <Device:Profiles><rdf:Seq><rdf:li rdf:parseType="Resource"><Device:Profile rdf:parseType="Resource">
    <Profile:Type>DepthPhoto</Profile:Type>
    <Profile:CameraIndices><rdf:Seq><rdf:li>0</rdf:li></rdf:Seq></Profile:CameraIndices>
  </Device:Profile></rdf:li></rdf:Seq></Device:Profiles>
  <Device:Cameras><rdf:Seq><rdf:li rdf:parseType="Resource"><Device:Camera rdf:parseType="Resource">
    <Camera:DepthMap DepthMap:ItemSemantic="Depth" DepthMap:Format="RangeInverse" DepthMap:Units="Meters"
      DepthMap:MeasureType="OpticalAxis" DepthMap:Near="{near}" DepthMap:Far="{far}" DepthMap:DepthURI="{uri}"/>
  </Device:Camera></rdf:li></rdf:Seq></Device:Cameras>
  <Device:Container rdf:parseType="Resource"><Container:Directory><rdf:Seq>
    <rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="0" Item:Padding="0"
      Item:DataURI="primary_image"/></rdf:li>
    <rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="{length}" Item:Padding="0"
      Item:DataURI="{uri}"/></rdf:li>
  </rdf:Seq></Container:Directory></Device:Container>
</rdf:Description>"""


def with_dynamic_depth(beside: Metadata, depth: StoredDepth) -> tuple[Metadata, bytes]:
    """What stands beside a JPEG's pixels with a depth in it, and the depth's own JPEG, which follows the picture's."""
    codes = 255 - depth.codes  # Google's are larger where it is farther
    encoded = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    text = _DESCRIPTION.format(near=f"{1 / depth.high:.6g}", far=f"{1 / depth.low:.6g}", length=len(encoded), uri=_URI,
                               data=base64.b64encode(encoded).decode("ascii"))  # fmt: skip
    return replace(beside, xmp=added(beside.xmp, text)), encoded
